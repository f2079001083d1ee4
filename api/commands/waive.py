"""`backlint waive`: make a waiver, end one, list them."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from backlint.api.console import Console, escape, plural
from backlint.api.installation import Installation, now, open_installation
from backlint.errors import InputError
from backlint.model import IssueType
from backlint.sync import listing, store, waivers
from backlint.sync.database import reading
from backlint.waivers import About, Via, Waiver, Waivers, spelled

SOON_DAYS = 14


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed."""

    rule: str | None
    issue: str | None
    label: str | None
    project: str | None
    type: str | None
    source: str | None
    reason: str | None
    until: str | None
    author: str | None


def run(console: Console, *, config: Path | None, wanted: Wanted, end: str | None, with_past: bool) -> int:
    with open_installation(config) as place:
        if end is not None:
            with place.engine.begin() as connection:
                waivers.end(connection, end, by=wanted.author or me(), now=now())
            console.json({"ended": end})
            console.out(f"{escape(end)} has ended: the next check speaks of what it covered.")
        elif wanted.rule is not None:
            made = _waive(place, wanted)
            console.json({"waived": [waivers.to_json(waiver) for waiver in made]})
            with reading(place.engine) as connection:
                keys = waivers.keys_of(connection, made) | waivers.people_of(connection, made)
            for waiver in made:
                console.out(f"{waiver.id}  {_told(waiver, keys)}")
        else:
            _list(console, place, with_past=with_past)
    return 0


def me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return "command line"


# -- making one --------------------------------------------------------------------------------------------------------


def _waive(place: Installation, wanted: Wanted) -> tuple[Waiver, ...]:
    rule = waivers.rule_or_family(place.settings, wanted.rule or "")
    if wanted.reason is None:
        raise InputError(
            '--reason is missing: say why, for whoever reads it later, as in --reason "a copy change only"'
        )
    if wanted.source is not None:
        place.settings.source(wanted.source)
    given = {
        About.ISSUE: wanted.issue, About.LABEL: wanted.label, About.PROJECT: wanted.project, About.TYPE: wanted.type,
    }  # fmt: skip
    chosen = [(about, name) for about, name in given.items() if name]
    if len(chosen) != 1:
        raise InputError(f"name what {rule} is waived for: one of ISSUE, --label, --project and --type")
    about, name = chosen[0]
    at = now()
    with place.engine.begin() as connection:
        if about is About.TYPE and name not in list(IssueType):
            raise InputError(f"--type {name!r}: use {', '.join(IssueType)}")
        source = wanted.source
        if about is About.PROJECT:
            waivers.require_project(connection, name)
        if about is About.ISSUE:
            source, name = issue_of(connection, name, wanted.source)
        return (
            waivers.waive(
                connection,
                rule,
                about=about,
                name=name,
                source=source,
                reason=wanted.reason,
                author=wanted.author or me(),
                now=at,
                today=at.astimezone(place.settings.zone).date(),
                until=_day(wanted.until),
                via=Via.COMMAND,
            ),
        )


def issue_of(connection: sa.Connection, reference: str, source: str | None) -> tuple[str, str]:
    """(source, id) of the issue. InputError for one that is not there or stands in several sources."""
    names = [source] if source else list(store.source_names(connection))
    found = [(name, id) for name in names if (id := listing.issue_id(connection, name, reference)) is not None]
    if not found:
        raise InputError(f"there is no issue {reference!r}: name it by key, former key or id")
    if len(found) > 1:
        raise InputError(f"{reference!r} is in {', '.join(name for name, _ in found)}: choose one with --source")
    return found[0]


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--until {text!r} is no day: write it as 2026-06-30") from None


# -- listing them ------------------------------------------------------------------------------------------------------


def _list(console: Console, place: Installation, *, with_past: bool) -> None:
    skip_label = f"{place.settings.write_back.label_prefix}skip"
    with reading(place.engine) as connection:
        book = waivers.all_waivers(connection, place.settings, now=now())
        keys = waivers.keys_of(connection, book.all) | waivers.people_of(connection, book.all)
        covered = waivers.covered(connection)
        skipped = waivers.labelled(connection, skip_label)
    shown = _sorted(book, with_past=with_past)
    console.json(
        {
            "today": book.today.isoformat(),
            "waivers": [
                {**waivers.to_json(waiver), "state": _state(waiver, book.today), "findings": covered.get(waiver.id, 0)}
                for waiver in shown
            ],
            "skipped": [{"source": source, "issue": key, "label": skip_label} for source, key in skipped],
        }
    )
    standing = [waiver for waiver in shown if waiver.is_in_force(book.today)]
    console.out(f"{plural(len(standing), 'waiver')} in force, {plural(sum(covered.values()), 'finding')} covered.")
    for waiver in shown:
        console.out(f"{waiver.id}  {_told(waiver, keys)}{_note(waiver, book.today, covered)}")
    if skipped:
        names = ", ".join(escape(key) for _, key in skipped[:10]) + (" ..." if len(skipped) > 10 else "")
        console.out(f"{plural(len(skipped), 'issue')} labelled {escape(skip_label)}, judged for secrets alone: {names}")
    if not shown and not skipped:
        console.say('`backlint waive AC001 PAY-12 --reason "a copy change only"` makes one; in a comment on the issue '
                    "`/hygiene waive AC001: reason` does.")  # fmt: skip


def _sorted(book: Waivers, *, with_past: bool) -> Sequence[Waiver]:
    kept = [waiver for waiver in book.all if with_past or waiver.ended_at is None]
    return sorted(kept, key=lambda waiver: (not waiver.is_in_force(book.today), waiver.until, waiver.id))


def _state(waiver: Waiver, today: date) -> str:
    if waiver.ended_at is not None:
        return "ended"
    return "in force" if waiver.is_in_force(today) else "expired"


def _told(waiver: Waiver, keys: dict[tuple[str | None, str], str]) -> str:
    about = keys.get((waiver.source, waiver.name), waiver.name) if waiver.about is About.ISSUE else waiver.name
    what = "" if waiver.about is About.ISSUE else f"{waiver.about.value} "
    where = f" in {waiver.source}" if waiver.source and waiver.about is not About.ISSUE else ""
    by = f" by {keys.get((waiver.source, waiver.author), waiver.author)}" if waiver.author else ""
    on = f" on {_on(waiver.made_at)}" if waiver.made_at else ""
    private = " (private)" if waiver.is_of_secrets else ""
    return escape(
        f"{waiver.rule}{private} for {what}{about}{where} until {spelled(waiver.until)}: {waiver.reason} "
        f"({waiver.via.value}{by}{on})"
    )


def _on(at: datetime) -> str:
    return spelled(at.date())


def _note(waiver: Waiver, today: date, covered: dict[str, int]) -> str:
    if waiver.ended_at is not None:
        by = f" by {escape(waiver.ended_by)}" if waiver.ended_by else ""
        return f"  [dim]ended {_on(waiver.ended_at)}{by}[/dim]"
    if waiver.has_expired(today):
        return "  [yellow]expired: its findings are back[/yellow]"
    left = (waiver.until - today).days
    count = plural(covered.get(waiver.id, 0), "finding")
    return (
        f"  [yellow]ends in {plural(left, 'day')}[/yellow], {count}" if left <= SOON_DAYS else f"  [dim]{count}[/dim]"
    )
