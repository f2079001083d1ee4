"""Issues, transitions and findings as files: JSON Lines for programs, CSV for spreadsheets, Parquet for analysis."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, BinaryIO

import msgspec

from backlint.errors import ConfigurationError
from backlint.model import Issue
from backlint.normalised import time_text, to_dict, transition_to_dict

Columns = Mapping[str, str]  # column -> text | number | whole | flag | time | day | texts | json

_BATCH = 5_000  # rows of one Parquet row group: enough for compression, little enough for any memory
# A spreadsheet takes a text that begins so for a formula and may run it (CWE-1236); the apostrophe makes it text.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

# The order of columns is part of the format: new ones are added at the end.
ISSUE_COLUMNS: Columns = {
    "source": "text",
    "id": "text",
    "key": "text",
    "url": "text",
    "tracker": "text",
    "project": "text",
    "team": "text",
    "type": "text",
    "type_name": "text",
    "title": "text",
    "body": "text",
    "markup": "text",
    "status_id": "text",
    "status": "text",
    "category": "text",
    "resolution": "text",
    "priority": "whole",
    "estimate": "number",
    "estimate_unit": "text",
    "labels": "texts",
    "assignees": "texts",
    "accountable": "texts",
    "reporter": "text",
    "parent": "text",
    "sprints": "texts",
    "due_on": "day",
    "review_on": "day",
    "created_at": "time",
    "updated_at": "time",
    "presence": "text",
    "is_locked": "flag",
    "is_archived": "flag",
    "history_is_complete": "flag",
    "transitions": "whole",
    "comments": "whole",
    "fields": "json",
}
TRANSITION_COLUMNS: Columns = {
    "source": "text",
    "issue": "text",
    "key": "text",
    "at": "time",
    "sequence": "whole",
    "from_id": "text",
    "from_name": "text",
    "from_category": "text",
    "to_id": "text",
    "to_name": "text",
    "to_category": "text",
    "actor": "text",
    "is_bot": "flag",
}
FINDING_COLUMNS: Columns = {
    "source": "text",
    "issue": "text",
    "url": "text",
    "rule": "text",
    "name": "text",
    "severity": "text",
    "message": "text",
    "question": "text",
    "waived": "flag",
    "new": "flag",
    "evidence": "json",
}
WRITE_COLUMNS: Columns = {
    "id": "text",
    "run": "text",
    "source": "text",
    "issue": "text",
    "key": "text",
    "url": "text",
    "project": "text",
    "kind": "text",
    "label": "text",
    "body": "text",
    "because": "texts",
    "state": "text",
    "reason": "text",
    "comment": "text",
    "wanted_at": "time",
    "sent_at": "time",
    "settled_at": "time",
}


class ExportFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def write_issues(issues: Iterable[Issue], stream: BinaryIO, format: ExportFormat | str) -> int:
    """The number of issues written. JSON Lines hold everything; the tables count transitions and comments."""
    if format == ExportFormat.JSONL:
        return _write_lines((to_dict(issue) for issue in issues), stream)
    return _write_table((_issue_row(issue) for issue in issues), ISSUE_COLUMNS, stream, format)


def write_transitions(issues: Iterable[Issue], stream: BinaryIO, format: ExportFormat | str) -> int:
    """The number of transitions written, one row each."""
    if format == ExportFormat.JSONL:
        return _write_lines(_nested_transitions(issues), stream)
    return _write_table(_transition_rows(issues), TRANSITION_COLUMNS, stream, format)


def write_findings(findings: Iterable[Mapping[str, Any]], stream: BinaryIO, format: ExportFormat | str) -> int:
    """The number of findings written. A finding is an object of the `check` output (docs/schemas/check.json)."""
    if format == ExportFormat.JSONL:
        return _write_lines((dict(finding) for finding in findings), stream)
    return _write_table(findings, FINDING_COLUMNS, stream, format)


def write_writes(rows: Iterable[dict[str, Any]], stream: BinaryIO, format: ExportFormat | str) -> int:
    """The number of writes written: the log of what was sent to trackers, one row each."""
    if format == ExportFormat.JSONL:
        return _write_lines(rows, stream)
    return _write_table(rows, WRITE_COLUMNS, stream, format)


# -- rows ------------------------------------------------------------------------------------------------------------


def _issue_row(issue: Issue) -> dict[str, Any]:
    flat = {name: getattr(issue, name) for name in ISSUE_COLUMNS if hasattr(issue, name)}
    return {
        **flat,
        "status_id": issue.status.id,
        "status": issue.status.name,
        "category": issue.status.category.value,
        "labels": sorted(issue.labels),
        "sprints": [membership.sprint.name for membership in issue.sprints],
        "transitions": len(issue.transitions),
        "comments": len(issue.comments),
        "fields": to_dict(issue)["fields"] if issue.fields else {},
    }


def _transition_rows(issues: Iterable[Issue]) -> Iterator[dict[str, Any]]:
    for issue in issues:
        for step in issue.transitions:
            yield {
                "source": issue.source,
                "issue": issue.id,
                "key": issue.key,
                "at": step.at,
                "sequence": step.sequence,
                "from_id": step.before.id,
                "from_name": step.before.name,
                "from_category": step.before.category.value,
                "to_id": step.after.id,
                "to_name": step.after.name,
                "to_category": step.after.category.value,
                "actor": step.actor,
                "is_bot": step.is_bot,
            }


def _nested_transitions(issues: Iterable[Issue]) -> Iterator[dict[str, Any]]:
    for issue in issues:
        for step in issue.transitions:
            yield {"source": issue.source, "issue": issue.id, "key": issue.key, **transition_to_dict(step)}


# -- formats ---------------------------------------------------------------------------------------------------------


def _write_lines(rows: Iterable[dict[str, Any]], stream: BinaryIO) -> int:
    count = 0
    for row in rows:
        stream.write(_json(row) + b"\n")
        count += 1
    return count


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # Half of a surrogate pair is no character: a tracker's field that was cut in the middle of an emoji.
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _write_table(
    rows: Iterable[Mapping[str, Any]], columns: Columns, stream: BinaryIO, format: ExportFormat | str
) -> int:
    if format == ExportFormat.PARQUET:
        return _write_parquet(rows, columns, stream)
    if format == ExportFormat.CSV:
        return _write_csv(rows, columns, stream)
    raise ConfigurationError(f"unknown export format {format!r}: choose {', '.join(ExportFormat)}")


def _write_csv(rows: Iterable[Mapping[str, Any]], columns: Columns, stream: BinaryIO) -> int:
    """RFC 4180: commas, CRLF, quotes doubled; UTF-8. Lists are joined by "; ", objects are JSON."""
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(columns)
        count = 0
        for row in rows:
            writer.writerow([_cell(row.get(name), kind) for name, kind in columns.items()])
            count += 1
        return count
    finally:
        text.detach()  # the stream belongs to the caller, who may go on writing


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "flag":
        return "true" if value else "false"
    if kind in ("number", "whole"):
        return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)
    if kind == "time":
        return (time_text(value) or "") if isinstance(value, datetime) else str(value)
    if kind == "json":
        return _harmless(_json(value).decode("utf-8")) if value else ""
    if kind == "texts":
        return _harmless("; ".join(str(each) for each in value))
    return _harmless(str(value))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _write_parquet(rows: Iterable[Mapping[str, Any]], columns: Columns, stream: BinaryIO) -> int:
    arrow, parquet = _arrow()
    types = {
        "text": arrow.string(),
        "json": arrow.string(),
        "number": arrow.float64(),
        "whole": arrow.int64(),
        "flag": arrow.bool_(),
        "time": arrow.timestamp("us", tz="UTC"),
        "day": arrow.date32(),
        "texts": arrow.list_(arrow.string()),
    }
    schema = arrow.schema([(name, types[kind]) for name, kind in columns.items()])
    convert = {name: _CONVERSIONS[kind] for name, kind in columns.items() if kind in _CONVERSIONS}
    remaining, count = iter(rows), 0
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        while batch := list(islice(remaining, _BATCH)):
            table = [{name: _converted(row.get(name), convert.get(name)) for name in columns} for row in batch]
            writer.write_table(arrow.Table.from_pylist(table, schema=schema))
            count += len(batch)
    return count


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "text": str,
    "texts": lambda values: [str(each) for each in values],
    "json": lambda value: _json(value).decode("utf-8"),
}


def _converted(value: Any, convert: Callable[[Any], Any] | None) -> Any:
    return value if value is None or convert is None else convert(value)


def _arrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigurationError(
            "Parquet needs the package pyarrow: install backlint[parquet], or choose jsonl or csv"
        ) from error
