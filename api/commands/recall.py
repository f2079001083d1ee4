"""`backlint recall`: issues that the rules let pass, shown to a person; how much the rules miss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from backlint.api.commands.check import require_pulled
from backlint.api.commands.waive import me
from backlint.api.console import Console, escape, plural
from backlint.api.installation import Installation, now, open_installation
from backlint.errors import InputError
from backlint.recall import Answer
from backlint.sync import recall
from backlint.sync.audit import new_id
from backlint.sync.check import check_store
from backlint.sync.database import reading
from backlint.sync.recall import Drawn

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
NAMED = 12  # issues listed for each rule


def run(
    console: Console,
    *,
    config: Path | None,
    rule: str | None,
    issue: str | None,
    answer: str | None,
    month: str | None,
    draw: bool,
) -> int:
    with open_installation(config) as place:
        wanted = month or f"{now().astimezone(place.settings.zone):%Y-%m}"
        if not MONTH.fullmatch(wanted):
            raise InputError(f"--month {wanted!r}: write it as 2026-03")
        if draw:
            _draw(console, place, wanted)
        if rule is not None and issue is not None:
            _judge(console, place, wanted, rule, issue, answer)
        else:
            _list(console, place, wanted, rule)
    return 0


def _draw(console: Console, place: Installation, month: str) -> None:
    require_pulled(place)
    result = check_store(place.engine, place.settings, run=new_id("check"), now=now())
    with place.engine.begin() as connection:
        count = recall.draw_samples(connection, result, month=month, size=place.settings.trust.recall_sample, now=now())
    console.say(f"{plural(count, 'issue')} drawn for {month}." if count else f"The samples of {month} stand already.")


def _judge(console: Console, place: Installation, month: str, rule: str, issue: str, answer: str | None) -> None:
    if answer not in list(Answer):
        raise InputError(f"say {', '.join(Answer)}: `backlint recall {rule} {issue} right`")
    with place.engine.begin() as connection:
        found = [
            each
            for each in recall.samples(connection, month=month)
            if each.rule == rule.upper() and issue.casefold() in (each.key.casefold(), each.issue.casefold())
        ]
        if not found:
            raise InputError(f"{issue} is not in the sample of {rule.upper()} for {month}: `backlint recall` lists it")
        recall.judge(connection, found[0], Answer(answer), by=me(), now=now())
    console.json({"rule": found[0].rule, "issue": found[0].key, "answer": answer})
    console.out(f"{escape(found[0].key)}: {answer} noted for {found[0].rule}.")


def _list(console: Console, place: Installation, month: str, rule: str | None) -> None:
    with reading(place.engine) as connection:
        known = recall.recalls(connection)
        open_now = [
            each
            for each in recall.samples(connection, month=month)
            if (each.answer is None and rule is None) or (each.rule == (rule or "").upper() and each.answer is None)
        ]
    console.json(
        {
            "month": month,
            "recall": [
                {
                    "month": when, "rule": code, "sample": size, "judged": found.judged if found else 0,
                    "missed": found.missed if found else 0, "passed": found.passed if found else None,
                    "failed": found.failed if found else None,
                    "recall": round(found.value, 4) if found else None,
                    "low": round(found.low, 4) if found else None, "high": round(found.high, 4) if found else None,
                }
                for (when, code), (found, size) in known.items()
            ],
            "open": [
                {"rule": each.rule, "source": each.source, "issue": each.key, "url": each.url, "title": each.title}
                for each in open_now
            ],
        }
    )  # fmt: skip
    if not known:
        console.out("No sample was drawn yet: `backlint recall --draw` draws this month's.")
        return
    for (when, code), (found, size) in known.items():
        if found is None:
            console.out(f"{when}  {code}: nothing can be said yet ({plural(size, 'issue')} drawn)")
        else:
            console.out(
                f"{when}  {code}: recall {found.value:.0%}, between {found.low:.0%} and {found.high:.0%} "
                f"({found.missed} missed of {found.judged} judged; {found.failed:,} found, {found.passed:,} let pass; "
                "every finding taken as right)"
            )
    _show_open(console, open_now)


def _show_open(console: Console, open_now: Sequence[Drawn]) -> None:
    if not open_now:
        return
    console.out(f"{plural(len(open_now), 'issue')} to look at: does the rule miss something? "
                "`backlint recall RULE ISSUE right|missed|unclear` answers.")  # fmt: skip
    for each in open_now[:NAMED]:
        url = f"  [dim]{escape(each.url)}[/dim]" if each.url else ""
        console.out(f"  {each.rule}  {escape(each.key)}  {escape(each.title)}{url}")
    if len(open_now) > NAMED:
        console.out(f"  ... and {len(open_now) - NAMED:,} more; --format json lists them.")
