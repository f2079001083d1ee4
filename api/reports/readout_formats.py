"""The readout as JSON, Markdown and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from backlint.api.reports import figures
from backlint.api.reports.cycle_time_formats import markdown_cannot_say, markdown_sources, source_facts
from backlint.api.reports.entries import Entry
from backlint.api.reports.health import Answer
from backlint.api.reports.readout import Audience, Figure, Readout, Section
from backlint.api.reports.tables import link, plain
from backlint.api.reports.tables import to_csv as table_to_csv

MOST_LINES = 15  # of a section in Markdown; it is read in a mail or a chat
MOST_KEYS = 3  # behind a figure
NAMES = {
    Audience.EXECUTIVE: "Executive view",
    Audience.ENGINEERING: "Engineering view",
    Audience.PRODUCT: "Product view",
    Audience.DESIGN: "Design view",
    Audience.MARKETING: "Marketing and support view",
}


def to_json(report: Readout) -> str:
    """For programs. A figure's `number` is null where there is none, and `of` says why; `behind` are its issues."""
    facts = {
        "scope": report.scope,
        "audience": report.audience and report.audience.value,
        "as_of": report.as_of.isoformat().replace("+00:00", "Z"),
        "timezone": report.timezone,
        "rules_version": report.rules_version,
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "answer": report.answer.value,
        "issues": report.issues,
        "headline": report.headline or None,
        "sections": [_section(each) for each in report.sections],
        "sources": [source_facts(source) for source in report.health],
    }
    return json.dumps(facts, ensure_ascii=False, indent=2) + "\n"


def _section(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "title": section.title,
        "figures": [
            {
                "name": each.name,
                "value": each.value,
                "number": each.number,
                "of": each.of,
                "behind": [_entry(line) for line in each.behind],
            }
            for each in section.figures
        ],
        "entries": [_entry(line) for line in section.entries],
        "of": section.of if section.of is not None else len(section.entries),
        "empty": None if section.entries else section.empty or None,
        "missing": list(section.missing),
    }


def _entry(line: Entry) -> dict[str, Any]:
    return {"source": line.source, "issue": line.key, "url": line.url, "title": line.title, "said": line.said or None}


# -- words ---------------------------------------------------------------------------------------------------------


def name(report: Readout) -> str:
    return "Weekly readout" if report.audience is None else NAMES[report.audience]


def nothing(report: Readout) -> str:
    """Why there is nothing to read; empty when there is."""
    if report.answer is Answer.CANNOT_SAY:
        return "**Cannot say.** What this is about could not be read to the end, so that nothing is told from it."
    if report.answer is Answer.NOTHING_TO_MEASURE:
        return "**Nothing to tell.** No issue belongs to this scope in a source that could be read."
    return ""


def heading(section: Section) -> str:
    """With the number of entries, as `What is next (10 of 140)`."""
    if not section.entries:
        return section.title
    of = f" of {section.of}" if section.of and section.of > len(section.entries) else ""
    return f"{section.title} ({len(section.entries)}{of})"


# -- Markdown ------------------------------------------------------------------------------------------------------


def to_markdown(report: Readout) -> str:
    """A draft to edit: facts and links."""
    head = [
        f"# {name(report)}: {plain(report.scope)}, {report.since} to {report.until}",
        *markdown_cannot_say(report),
        nothing(report),
        f"**{report.headline}**" if report.headline else "",
    ]
    body = [part for section in report.sections for part in _markdown(section)]
    at = f"As of {figures.moment(report.as_of, report.zone)} ({report.timezone}), rules {report.rules_version}"
    foot = f"{at}, {figures.counted(report.issues, 'issue')} looked at. A draft to edit: facts and links only."
    parts = (*head, *body, foot, *markdown_sources(report.health, report))
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _markdown(section: Section) -> Iterable[str]:
    yield f"## {heading(section)}"
    if section.note:
        yield plain(section.note)
    if section.figures:
        yield "\n".join(_figure(each, section) for each in section.figures)
    if section.entries:
        lines = [_line(each) for each in section.entries[:MOST_LINES]]
        more = len(section.entries) - MOST_LINES
        yield "\n".join([*lines, f"- {more} more in the page and the CSV"] if more > 0 else lines)
    elif section.empty:
        yield plain(section.empty)
    for missing in section.missing:
        yield f"*Missing:* {plain(missing)}."


def _figure(each: Figure, section: Section) -> str:
    return f"- **{plain(each.name)}: {plain(each.value)}** ({plain(each.of)}){_keys(each.behind, section)}"


def _keys(behind: Sequence[Entry], section: Section) -> str:
    """The issues behind a figure by key, unless the section lists the very same below."""
    if not behind or {(x.source, x.key) for x in behind} == {(x.source, x.key) for x in section.entries}:
        return ""
    shown = ", ".join(link(line.key or line.title, line.url) for line in behind[:MOST_KEYS])
    more = len(behind) - MOST_KEYS
    return f": {shown}" + (f" and {more} more" if more > 0 else "")


def _line(each: Entry) -> str:
    told = f": {plain(each.said)}" if each.said else ""
    subject = f"{link(each.key, each.url)} {plain(each.title)}" if each.key else f"**{plain(each.title)}**"
    return f"- {subject}{told}"


# -- CSV -----------------------------------------------------------------------------------------------------------

COLUMNS = ("section", "kind", "name", "value", "number", "of", "source", "issue", "url", "title", "said")


def to_csv(report: Readout) -> str:
    """One line for each figure, each issue behind it, each entry of a section and each gap in the data."""
    return table_to_csv(COLUMNS, (row for section in report.sections for row in _rows(section)))


def _rows(section: Section) -> Iterable[Sequence[object]]:
    for each in section.figures:
        yield (section.name, "figure", each.name, each.value, each.number, each.of, "", "", "", "", "")
        for line in each.behind:
            yield (section.name, "behind", each.name, "", "", "", *_cells(line))
    for line in section.entries:
        yield (section.name, "entry", "", "", "", "", *_cells(line))
    for missing in section.missing:
        yield (section.name, "missing", "", "", "", "", "", "", "", "", missing)


def _cells(line: Entry) -> Sequence[object]:
    return (line.source, line.key, line.url, line.title, line.said)
