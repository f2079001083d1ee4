"""Exports as input: recognises the kind from the content, reads what can be read and reports the rest by line."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from backlint.connectors.file import gh_json, jira_csv, linear_csv
from backlint.connectors.file.dates import day_comes_first
from backlint.connectors.file.decoding import decoded, lines
from backlint.connectors.file.json_pieces import Piece, json_elements, json_lines
from backlint.connectors.file.mapping import Mapped, Reading
from backlint.connectors.file.table import BadRow, Row, Table
from backlint.errors import InputError
from backlint.model import Issue, IssueType, Person, StatusCategory
from backlint.normalised import FieldError, from_dict

STANDARD_INPUT = "standard input"
_SAMPLE = 1000  # rows that are looked at to learn whether 03/04/2026 is in March or in April


class FileKind(StrEnum):
    """What can be read."""

    BACKLINT = "backlint JSON Lines"
    JIRA = "Jira CSV export"
    LINEAR = "Linear CSV export"
    GITHUB = "gh issue list --json"


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that does not count, by the line where it starts; `field` is empty when the whole row is broken."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field + ': ' if self.field else ''}{self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """What a file gave. `remarks` are parts left out of issues that count.

    `unmapped` is status name -> number of issues whose category nobody can know. `people` are those that the file names
    as assignee or author. That is no directory: a name that is not among them may well be an account.
    """

    issues: tuple[Issue, ...]
    rejected: tuple[RejectedRow, ...]
    kind: FileKind
    people: tuple[tuple[str, Person], ...] = ()  # (source, account)
    remarks: tuple[RejectedRow, ...] = ()
    unmapped: Mapping[str, int]


def read_issues(
    path: Path | str | BinaryIO,
    *,
    source: str = "file",
    kind: FileKind | None = None,
    zone: tzinfo = UTC,
    day_first: bool | None = None,
    statuses: Mapping[str, StatusCategory] | None = None,
    types: Mapping[str, IssueType] | None = None,
    fields: Mapping[str, str] | None = None,
    name: str | None = None,
) -> FileRead:
    """Everything in the file; a binary stream may stand for it. InputError when it cannot be read at all.

    `kind` is recognised unless given. `zone` is for dates without one (Jira prints the exporting person's local time),
    `day_first` for dates like 03/04/2026 in a file that does not show their order. `statuses` and `types` go by name;
    `fields` is catalogue field -> column name.
    """
    reading = Reading(
        source=source,
        zone=zone,
        day_first=day_first,
        statuses=statuses or {},
        types=types or {},
        fields=fields or {},
    )
    if isinstance(path, (str, Path)):
        try:
            with Path(path).open("rb") as stream:
                return _read(stream, name or str(path), kind, reading)
        except OSError as error:
            raise InputError(f"{path} cannot be opened: {error.strerror}") from error
    return _read(path, name or STANDARD_INPUT, kind, reading)


def _read(stream: BinaryIO, name: str, wanted: FileKind | None, reading: Reading) -> FileRead:
    pieces = decoded(stream, name)
    head = ""
    while not head.strip():
        piece = next(pieces, None)
        if piece is None:
            raise InputError(f"{name} is empty: there is nothing to read")
        head += piece
    text = itertools.chain([head], pieces)
    start = head.lstrip()
    if start[0] in "[{":
        kind, outcomes = _json(text, start, name, reading, wanted)
    else:
        kind, outcomes = _csv(text, start, name, reading, wanted)
    return _gathered(outcomes, kind)


# -- outcomes --------------------------------------------------------------------------------------------------------

Outcome = tuple[int, Mapped] | RejectedRow


def _gathered(outcomes: Iterable[Outcome], kind: FileKind) -> FileRead:
    issues: dict[tuple[str, str], Issue] = {}
    lines_of: dict[tuple[str, str], int] = {}
    people: dict[tuple[str, str], Person] = {}
    rejected: list[RejectedRow] = []
    remarks: list[RejectedRow] = []
    for outcome in outcomes:
        if isinstance(outcome, RejectedRow):
            rejected.append(outcome)
            continue
        line, mapped = outcome
        identity = mapped.issue.identity
        if identity in issues:
            rejected.append(RejectedRow(line, "id", f"the same issue stands on line {lines_of[identity]}"))
            continue
        issues[identity] = mapped.issue
        lines_of[identity] = line
        people.update(((identity[0], person.id), person) for person in mapped.people)
        remarks.extend(RejectedRow(line, field, reason) for field, reason in mapped.remarks)
    unknown = (issue.status.name for issue in issues.values() if issue.status.category is StatusCategory.UNKNOWN)
    return FileRead(
        issues=tuple(issues.values()),
        rejected=tuple(rejected),
        kind=kind,
        people=tuple((source, person) for (source, _), person in people.items()),
        remarks=tuple(remarks),
        unmapped=dict(Counter(unknown)),
    )


def _outcome(line: int, made: Callable[[], Mapped], *, place: str = "") -> Outcome:
    try:
        return line, made()
    except FieldError as error:
        return RejectedRow(line, error.field, f"{place}{error.reason}")


# -- JSON ------------------------------------------------------------------------------------------------------------


def _json(
    text: Iterator[str], start: str, name: str, reading: Reading, wanted: FileKind | None
) -> tuple[FileKind, Iterator[Outcome]]:
    pieces = json_elements(text) if _is_list_or_spread(start) else json_lines(lines(text))
    seen = list(itertools.islice(pieces, _SAMPLE))
    kind = wanted or _json_kind(seen, start, name)
    if kind in (FileKind.JIRA, FileKind.LINEAR):
        raise InputError(f"{name} is JSON, not a {kind}")
    make = _from_gh if kind is FileKind.GITHUB else _from_backlint
    return kind, (_json_outcome(piece, make, reading) for piece in itertools.chain(seen, pieces))


def _is_list_or_spread(start: str) -> bool:
    """Whether values go over several lines: a list, or objects printed for people."""
    return start[0] == "[" or start.partition("\n")[0].strip() == "{"


def _value(piece: Piece) -> Any:
    try:
        return msgspec.json.decode(piece.text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _json_kind(pieces: Iterable[Piece], start: str, name: str) -> FileKind:
    """By the first object that shows it: the ones before may be broken rows of the same kind."""
    strange: dict[str, Any] | None = None
    for piece in pieces:
        value = _value(piece)
        if not isinstance(value, dict):
            continue
        if gh_json.FIELDS & value.keys():
            return FileKind.GITHUB
        if "id" in value or "title" in value:
            return FileKind.BACKLINT
        strange = strange or value
    if strange is not None:
        raise _unknown(name, f"JSON objects with the keys {_some(strange)}")
    # Not one object: an empty list is what `gh` prints when no issue matches; all else is reported row by row.
    return FileKind.GITHUB if start[0] == "[" else FileKind.BACKLINT


def _json_outcome(piece: Piece, make: Callable[[dict[str, Any], Reading], Mapped], reading: Reading) -> Outcome:
    place = f"element {piece.index}: " if piece.index is not None else ""
    if not piece.text:
        return RejectedRow(piece.line, "", "the file ends inside the list")
    try:
        value = msgspec.json.decode(piece.text)
    except (msgspec.DecodeError, RecursionError) as error:
        is_cut = piece.is_cut and "truncated" in str(error)
        why = "the file ends inside this row" if is_cut else f"not JSON: {error}"
        return RejectedRow(piece.line, "", place + why)
    if not isinstance(value, dict):
        return RejectedRow(piece.line, "", f"{place}expected an object, got {type(value).__name__}")
    return _outcome(piece.line, lambda: make(value, reading), place=place)


def _from_gh(value: dict[str, Any], reading: Reading) -> Mapped:
    return gh_json.issue_of(value, reading)


def _from_backlint(value: dict[str, Any], reading: Reading) -> Mapped:
    issue = from_dict(value, source=reading.source)
    return Mapped(_as_mapped(issue, reading))


def _as_mapped(issue: Issue, reading: Reading) -> Issue:
    """Statuses and types that the file left open, as the person who reads it has mapped them."""
    if issue.status.category is StatusCategory.UNKNOWN and (category := reading.category(issue.status.name)):
        issue = replace(issue, status=replace(issue.status, category=category))
    if issue.type_name and issue.type is IssueType.TASK and (type := reading.type(issue.type_name)):
        issue = replace(issue, type=type)
    return issue


# -- CSV -------------------------------------------------------------------------------------------------------------


def _csv(
    text: Iterator[str], start: str, name: str, reading: Reading, wanted: FileKind | None
) -> tuple[FileKind, Iterator[Outcome]]:
    if wanted in (FileKind.BACKLINT, FileKind.GITHUB):
        raise InputError(f"{name} is no JSON, so it is not {wanted}")
    if start[0] == "<":
        raise _unknown(name, "HTML or XML; Jira's XML and HTML exports are not read, its CSV export is")
    table = Table(lines(text))
    kind = wanted or _csv_kind(table, name)
    if kind is FileKind.JIRA:
        return kind, _rows(table, name, reading, jira_csv.issue_of, jira_csv.COLUMNS, jira_csv.DATE_COLUMNS)
    return kind, _rows(table, name, reading, linear_csv.issue_of, linear_csv.COLUMNS, linear_csv.DATE_COLUMNS)


def _csv_kind(table: Table, name: str) -> FileKind:
    if table.has(*jira_csv.COLUMNS):
        return FileKind.JIRA
    if table.has(*linear_csv.COLUMNS):
        return FileKind.LINEAR
    hint = " (is Jira set to English? Its column names follow the language of the person who exports)"
    raise _unknown(
        name, f"a text whose first line has the columns {_some(table.header)}" + hint * (len(table.header) > 4)
    )


def _rows(
    table: Table,
    name: str,
    reading: Reading,
    make: Callable[[Row, Reading], Mapped],
    columns: tuple[str, ...],
    date_columns: tuple[str, ...],
) -> Iterator[Outcome]:
    missing = [column for column in columns if not table.has(column)]
    if missing:
        raise InputError(f"{name} lacks the column {missing[0]!r}; it has {_some(table.header)}")
    rows = iter(table)
    sample = list(itertools.islice(rows, _SAMPLE))
    if reading.day_first is None:
        printed = (row.first(column) or "" for row in sample if isinstance(row, Row) for column in date_columns)
        reading = replace(reading, day_first=day_comes_first(printed))
    return (_row_outcome(row, make, reading) for row in itertools.chain(sample, rows))


def _row_outcome(row: Row | BadRow, make: Callable[[Row, Reading], Mapped], reading: Reading) -> Outcome:
    if isinstance(row, BadRow):
        return RejectedRow(row.line, "", row.reason)
    return _outcome(row.line, lambda: make(row, reading))


def _unknown(name: str, seen: str) -> InputError:
    return InputError(f"{name} is none of {', '.join(FileKind)}: it holds {seen}")


def _some(names: Iterable[str]) -> str:
    """The first few names, short: enough to see what a file is."""
    found = list(itertools.islice(names, 9))
    shown = ", ".join(repr(each[:40]) for each in found[:8])
    return (shown or "none") + (" ..." if len(found) > 8 else "")
