"""Exports as output: what is written can be read, columns stay in order, no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from backlint.connectors.file.export import (
    FINDING_COLUMNS,
    ISSUE_COLUMNS,
    TRANSITION_COLUMNS,
    write_findings,
    write_issues,
    write_transitions,
)
from backlint.connectors.file.reader import read_issues
from backlint.errors import ConfigurationError
from backlint.model import Issue, Sprint, SprintMembership, StatusCategory
from tests.factory import a_comment, a_transition, an_issue

MOVED_AT = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
FINDING: Mapping[str, Any] = {
    "source": "demo",
    "issue": "1",
    "url": None,
    "rule": "AC001",
    "name": "MissingAcceptanceCriteria",
    "severity": "error",
    "message": "No acceptance criteria found.",
    "question": "=What must be true?",
    "evidence": [{"kind": "S", "field": "body", "start": 0, "end": 3, "excerpt": "abc"}],
    "waived": False,
    "new": True,
}


def a_full_issue(**more: Any) -> Issue:
    values: dict[str, Any] = {
        "labels": frozenset({"web", "ops"}),
        "estimate": 3.0,
        "priority": 2,
        "due_on": date(2026, 9, 30),
        "sprints": (SprintMembership(sprint=Sprint(id="4", name="Sprint 4")),),
        "transitions": (a_transition(MOVED_AT, StatusCategory.BACKLOG, StatusCategory.ACTIVE),),
        "comments": (a_comment("Done when p95 < 2 s"),),
        "fields": {"metric": "activation"},
    }
    return an_issue(**{**values, **more})


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def issues_as_csv(*issues: Issue) -> list[dict[str, str]]:
    stream = io.BytesIO()
    write_issues(issues, stream, "csv")
    return csv_rows(stream.getvalue())


def test_exported_issues_are_read_back_unchanged() -> None:
    issues = (a_full_issue(), an_issue(id="2", title="Zeile\u2028und Ü"))
    stream = io.BytesIO()

    count = write_issues(issues, stream, "jsonl")

    stream.seek(0)
    found = read_issues(stream)
    assert count == 2
    assert found.issues == issues
    assert found.rejected == ()


def test_csv_has_the_published_columns_in_order_and_ends_its_lines_with_crlf() -> None:
    stream = io.BytesIO()

    write_issues([a_full_issue()], stream, "csv")

    assert stream.getvalue().split(b"\r\n")[0].decode() == ",".join(ISSUE_COLUMNS)
    assert stream.getvalue().endswith(b"\r\n")
    assert list(ISSUE_COLUMNS)[:4] == ["source", "id", "key", "url"]


def test_a_csv_row_holds_the_issue_in_flat_cells() -> None:
    (row,) = issues_as_csv(a_full_issue())

    assert (row["labels"], row["sprints"], row["estimate"], row["priority"]) == ("ops; web", "Sprint 4", "3", "2")
    assert (row["status"], row["category"], row["due_on"]) == ("backlog", "backlog", "2026-09-30")
    assert (row["transitions"], row["comments"], row["is_locked"]) == ("1", "1", "false")
    assert (row["created_at"], row["url"]) == ("2026-03-02T09:00:00Z", "")
    assert json.loads(row["fields"]) == {"metric": "activation"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_cell_begins_like_a_formula(start: str) -> None:
    text = f"{start}HYPERLINK(1)"

    (row,) = issues_as_csv(a_full_issue(title=text, body=text, labels=frozenset({text})))

    assert (row["title"], row["body"], row["labels"]) == (f"'{text}", f"'{text}", f"'{text}")


def test_a_negative_number_stays_a_number() -> None:
    assert issues_as_csv(a_full_issue(estimate=-1.5))[0]["estimate"] == "-1.5"


def test_quotes_commas_and_line_breaks_survive() -> None:
    text = 'He said "no",\r\nthen\nleft'

    assert issues_as_csv(a_full_issue(body=text))[0]["body"] == text


def test_each_transition_is_a_row() -> None:
    stream, lines = io.BytesIO(), io.BytesIO()

    assert write_transitions([a_full_issue(), an_issue(id="2")], stream, "csv") == 1
    write_transitions([a_full_issue()], lines, "jsonl")

    (row,) = csv_rows(stream.getvalue())
    assert list(row) == list(TRANSITION_COLUMNS)
    assert (row["issue"], row["at"], row["from_category"], row["to_category"]) == (
        "1",
        "2026-03-03T09:30:00Z",
        "backlog",
        "active",
    )
    assert json.loads(lines.getvalue())["to"] == {"id": "active", "name": "active", "category": "active"}


def test_findings_are_written_as_check_prints_them() -> None:
    stream, lines = io.BytesIO(), io.BytesIO()

    assert write_findings([FINDING], stream, "csv") == 1
    write_findings([FINDING], lines, "jsonl")

    (row,) = csv_rows(stream.getvalue())
    assert list(row) == list(FINDING_COLUMNS)
    assert (row["question"], row["waived"], row["new"]) == ("'=What must be true?", "false", "true")
    assert json.loads(row["evidence"]) == FINDING["evidence"]
    assert json.loads(lines.getvalue()) == FINDING


def test_half_a_surrogate_pair_does_not_stop_an_export() -> None:
    for format in ("jsonl", "csv"):
        stream = io.BytesIO()

        write_issues([an_issue(title="cut \ud83d")], stream, format)

        assert b"cut ?" in stream.getvalue()


def test_the_stream_stays_open_for_the_caller() -> None:
    stream = io.BytesIO()

    write_issues([an_issue()], stream, "csv")

    assert not stream.closed


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="choose jsonl, csv, parquet"):
        write_issues([an_issue()], io.BytesIO(), "xlsx")


def test_parquet_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigurationError, match=r"backlint\[parquet\]"):
        write_issues([an_issue()], io.BytesIO(), "parquet")


def test_parquet_holds_the_same_columns_with_their_types() -> None:
    pytest.importorskip("pyarrow", reason="the optional package pyarrow is not installed")
    from pyarrow import parquet

    stream = io.BytesIO()

    count = write_issues([a_full_issue(), an_issue(id="2")], stream, "parquet")

    table = parquet.read_table(io.BytesIO(stream.getvalue()))
    first, second = table.to_pylist()
    assert (count, table.column_names) == (2, list(ISSUE_COLUMNS))
    assert (first["labels"], first["estimate"], first["due_on"]) == (["ops", "web"], 3.0, date(2026, 9, 30))
    assert first["created_at"] == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert (second["estimate"], second["transitions"], second["type"]) == (None, 0, "story")


def test_transitions_and_findings_can_be_parquet_too() -> None:
    pytest.importorskip("pyarrow", reason="the optional package pyarrow is not installed")
    from pyarrow import parquet

    moves, findings = io.BytesIO(), io.BytesIO()

    write_transitions([a_full_issue()], moves, "parquet")
    write_findings([FINDING], findings, "parquet")

    assert parquet.read_table(io.BytesIO(moves.getvalue())).to_pylist()[0]["at"] == MOVED_AT
    assert parquet.read_table(io.BytesIO(findings.getvalue())).to_pylist()[0]["rule"] == "AC001"
