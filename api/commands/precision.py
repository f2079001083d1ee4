"""`backlint precision`: how often each rule was right, which stepped back, trusting one again; `backlint feedback`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backlint.api.commands.waive import issue_of, me
from backlint.api.console import Console, escape, plural
from backlint.api.installation import Installation, now, open_installation
from backlint.errors import InputError
from backlint.normalised import to_dict
from backlint.precision import EVERYWHERE, How, Key, Level, Precision, Said, deserved
from backlint.rules.registry import private_codes
from backlint.settings import Settings
from backlint.sync import feedback, store, waivers
from backlint.sync.database import reading


def run(
    console: Console, *, config: Path | None, restore: str | None, scope: str | None, candidates: Path | None
) -> int:
    with open_installation(config) as place:
        if restore is not None:
            _restore(console, place, restore, scope)
        elif candidates is not None:
            _write_candidates(console, place, candidates)
        else:
            _list(console, place)
    return 0


# -- the book ----------------------------------------------------------------------------------------------------------


def _list(console: Console, place: Installation) -> None:
    settings = place.settings
    with place.engine.begin() as connection:
        feedback.note_deeds(connection, now=now())
        books = feedback.books(connection, settings, now=now())
        levels = feedback.levels(connection)
    told = {key: book for key, book in books.items() if book.judged or book.shown}
    console.json(
        {
            "days": settings.trust.feedback_days,
            "rules": [_facts(key, book, levels, settings) for key, book in told.items()],
        }
    )
    if not told:
        console.out("Nobody has said anything of a finding yet, and none was shown in a tracker.")
        console.say("People answer with `/hygiene wrong AC001: why` or `/hygiene useful AC001` on the issue; "
                    "`backlint feedback` does it from here.")  # fmt: skip
        return
    console.out(
        f"What people said in the last {plural(settings.trust.feedback_days, 'day')}. From "
        f"{plural(settings.trust.judged, 'judged finding')} on a rule steps back when more than "
        f"{settings.trust.lower_above:.0%} of those shown were wrong."
    )
    for key, book in sorted(told.items(), key=lambda pair: (pair[0][2], pair[0][:2] != EVERYWHERE, pair[0])):
        console.out(_line(key, book, levels.get(key, Level.NONE)))


def _facts(key: Key, book: Precision, levels: Mapping[Key, Level], settings: Settings) -> dict[str, Any]:
    source, project, rule = key
    return {
        "source": source or None,
        "project": project or None,
        "rule": rule,
        "judged": book.judged,
        "useful": float(book.useful),
        "wrong": float(book.wrong),
        "precision": None if book.precision is None else round(float(book.precision), 4),
        "shown": book.shown,
        "shown_wrong": float(book.shown_wrong),
        "false_share": None if book.false_share is None else round(float(book.false_share), 4),
        "level": levels.get(key, Level.NONE).value,
        "deserved": deserved(book, feedback.limits(settings)).value,
    }


def _line(key: Key, book: Precision, level: Level) -> str:
    where = escape(" ".join(part for part in key[:2] if part)) or "everywhere"
    said = "nobody has judged it"
    if book.precision is not None:
        said = f"precision {float(book.precision):.0%} ({plural(book.judged, 'finding')} judged)"
    shown = "none shown for 14 days"
    if book.false_share is not None:
        shown = f"wrong {float(book.shown_wrong):g} of {book.shown:,} shown ({float(book.false_share):.0%})"
    back = "" if level is Level.NONE else f"  [yellow]{level.value}[/yellow]"
    return f"{key[2]}  {where}: {said}; {shown}{back}"


# -- trusting a rule again ---------------------------------------------------------------------------------------------


def _restore(console: Console, place: Installation, name: str, scope: str | None) -> None:
    rule = next(iter(waivers.codes_named(place.settings, [name])))
    with place.engine.begin() as connection:
        key = _stepped_back(feedback.levels(connection), rule, scope)
        feedback.lift(connection, key, by=me(), now=now())
    where = " ".join(part for part in key[:2] if part) or "everywhere"
    console.json({"restored": rule, "where": where})
    console.out(f"{rule} speaks again as before in {escape(where)}; its book begins anew.")


def _stepped_back(levels: Mapping[Key, Level], rule: str, scope: str | None) -> Key:
    found = [key for key, level in levels.items() if key[2] == rule and level is not Level.NONE]
    if scope is not None:
        found = [key for key in found if scope.casefold() in (key[1].casefold(), " ".join(key[:2]).casefold())]
    if not found:
        raise InputError(f"{rule} has not stepped back{f' in {scope!r}' if scope else ''}: `backlint precision` shows")
    if len(found) > 1:
        names = ", ".join(" ".join(part for part in key[:2] if part) or "everywhere" for key in found)
        raise InputError(f"{rule} has stepped back in {names}: choose one with --scope")
    return found[0]


# -- what was wrong ----------------------------------------------------------------------------------------------------


def _write_candidates(console: Console, place: Installation, output: Path) -> None:
    """One line for each finding that somebody called wrong: the issue as rules see it, with what was said."""
    with reading(place.engine) as connection:
        rows = [row for row in feedback.candidates(connection) if row["rule"] not in private_codes()]
        by_source: dict[str, list[str]] = {}
        for row in rows:
            by_source.setdefault(row["source"], []).append(row["issue"])
        issues = {
            issue.identity: issue
            for source, ids in by_source.items()
            for issue in store.load_issues(connection, source=source, ids=sorted(set(ids)))
        }
    written = 0
    try:
        with output.open("w", encoding="utf-8") as stream:
            for row in rows:
                issue = issues.get((row["source"], row["issue"]))
                if issue is None:
                    continue  # a team or a sprint
                said = {"rule": row["rule"], "via": row["via"], "reason": row["reason"], "at": row["at"].isoformat()}
                stream.write(json.dumps({"said_wrong": said, **to_dict(issue)}, ensure_ascii=False) + "\n")
                written += 1
    except OSError as error:
        raise InputError(f"cannot write {output}: {error.strerror}") from None
    console.json({"file": str(output), "candidates": written})
    console.out(f"{plural(written, 'finding')} called wrong in {escape(str(output))}: each may become an example.")


# -- saying it from here -----------------------------------------------------------------------------------------------


def say(
    console: Console, *, config: Path | None, issue: str, rule: str, verdict: str, reason: str, source: str | None
) -> int:
    if verdict not in list(Said):
        raise InputError(f"{verdict!r}: say {' or '.join(Said)}")
    with open_installation(config) as place:
        codes = waivers.codes_named(place.settings, [rule])
        with place.engine.begin() as connection:
            where, id = issue_of(connection, issue, source)
            line: dict[str, Any] = {"source": where, "issue": id, "author": me(), "at": now()}
            answer = feedback.say(connection, line, verdict, codes, reason, how=How.PAGE)
    console.json({"source": where, "issue": id, "rules": sorted(codes), "verdict": verdict})
    console.out(f"{escape(issue)}: {escape(answer) or 'noted'}")
    return 0
