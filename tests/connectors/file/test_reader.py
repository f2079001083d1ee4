"""Recognising and reading files: kinds, encodings, cut and broken rows."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from backlint.connectors.file import decoding
from backlint.connectors.file.reader import FileKind, read_issues
from backlint.errors import InputError
from backlint.model import IssueType, StatusCategory
from backlint.normalised import to_dict
from tests.connectors.file.reading import only, read
from tests.factory import an_issue

JIRA = "Summary,Issue key,Issue id,Issue Type,Status,Status Category,Created\n"
JIRA_ROW = "Export invoices,PAY-1,10001,Story,Open,To Do,02/Mar/26 9:00 AM\n"
LINEAR = "ID,Team,Title,Description,Status,Created\n"
GH = {"number": 7, "title": "Crash on start", "state": "OPEN", "createdAt": "2026-03-02T09:00:00Z"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"id": "1", "title": "x"}\n', FileKind.BACKLINT),
        ('[{"id": "1", "title": "x"}]', FileKind.BACKLINT),
        (json.dumps(to_dict(an_issue())), FileKind.BACKLINT),
        (json.dumps([GH]), FileKind.GITHUB),
        (json.dumps([GH], indent=2), FileKind.GITHUB),
        (json.dumps(GH), FileKind.GITHUB),
        (json.dumps(GH, indent=2), FileKind.GITHUB),
        (JIRA + JIRA_ROW, FileKind.JIRA),
        (LINEAR + "ENG-1,ENG,x,,Todo,2026-03-02T09:00:00Z\n", FileKind.LINEAR),
        ((JIRA + JIRA_ROW).replace(",", ";"), FileKind.JIRA),
        ((JIRA + JIRA_ROW).replace(",", "\t"), FileKind.JIRA),
        ("\n\n" + '{"id": "1", "title": "x"}\n', FileKind.BACKLINT),
    ],
)
def test_the_kind_is_recognised_by_the_content(text: str, kind: FileKind) -> None:
    found = read(text)

    assert found.kind is kind
    assert len(found.issues) == 1
    assert found.rejected == ()


def test_an_empty_list_is_no_issue_and_no_error() -> None:
    found = read("[]")

    assert (found.kind, found.issues, found.rejected) == (FileKind.GITHUB, (), ())


def test_a_header_without_rows_is_no_issue_and_no_error() -> None:
    assert read(JIRA).issues == ()


@pytest.mark.parametrize("text", ["", "\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_called_empty(text: str | bytes) -> None:
    with pytest.raises(InputError, match="standard input is empty"):
        read(text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("name,age\nx,3\n", "'name', 'age'"),
        ('{"uid": 1, "summary": "x"}\n', "'uid', 'summary'"),
        ("<html><body>Log in</body></html>", "HTML or XML"),
        ("Zusammenfassung,Schlüssel,Status,Typ,Autor\n", "is Jira set to English"),
    ],
)
def test_an_unknown_kind_says_what_was_seen_and_what_can_be_read(text: str, seen: str) -> None:
    with pytest.raises(InputError) as refused:
        read(text)

    assert seen in str(refused.value)
    for kind in FileKind:
        assert kind in str(refused.value)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04....", "Excel workbook"),
        (b"\x1f\x8b\x08..", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"PAR1....", "Parquet"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_the_remedy(data: bytes, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_utf_8_and_marked_utf_16_are_read(encoding: str) -> None:
    issue = only(read((JIRA + JIRA_ROW).replace("invoices", "Überträge 未定").encode(encoding)))

    assert issue.title == "Export Überträge 未定"


def test_another_encoding_is_refused_with_the_byte_the_line_and_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes((JIRA + JIRA_ROW).encode() + "Überträge".encode("cp1252"))

    with pytest.raises(InputError) as refused:
        read_issues(file)

    message = str(refused.value)
    assert str(file) in message
    assert f"byte {len(JIRA + JIRA_ROW)} (line 3)" in message
    assert "Save it as UTF-8" in message


def test_the_bad_byte_is_counted_over_the_pieces_of_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "CHUNK", 7)
    text = JIRA + JIRA_ROW.replace("invoices", "Überträge")

    with pytest.raises(InputError, match=rf"byte {len(text.encode())} \(line 3\)"):
        read(text.encode() + b"\xff")


def test_utf_16_without_a_mark_is_refused() -> None:
    with pytest.raises(InputError, match="not UTF-8"):
        read(JIRA.encode("utf-16-le"))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv cannot be opened"):
        read_issues(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
@pytest.mark.parametrize(
    "text",
    [
        JIRA.replace("\n", "\r\n") + JIRA_ROW.replace("Export", '"Two\r\nlines, ""quoted"""'),
        json.dumps([{**GH, "body": 'a "quoted" \\ brace } and ] Ü'}, {**GH, "number": 8}], ensure_ascii=False),
    ],
)
def test_the_size_of_the_pieces_changes_nothing(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(text)
    monkeypatch.setattr(decoding, "CHUNK", size)

    assert read(text) == whole
    assert whole.rejected == ()


# -- broken rows -----------------------------------------------------------------------------------------------------


def test_bad_lines_are_reported_by_number_and_the_others_count() -> None:
    found = read(
        '{"id": "1", "title": "x"}\n'
        "\n"
        '{"id": "2", "title": \n'
        '{"id": "3"}\n'
        "[1]\n"
        '{"id": "5", "title": "x", "labels": [3]}\n'
        '{"id": "6", "title": "x"}\n'
    )

    assert [issue.id for issue in found.issues] == ["1", "6"]
    assert [(row.line, row.field) for row in found.rejected] == [(3, ""), (4, "title"), (5, ""), (6, "labels[0]")]
    assert str(found.rejected[1]) == "line 4: title: is missing"


def test_a_broken_last_line_that_is_whole_is_not_called_cut() -> None:
    found = read('{"id": "1", "title": "x"}\n{"id": "2" "title": "y"}')

    assert [row.line for row in found.rejected] == [2]
    assert found.rejected[0].reason.startswith("not JSON")


def test_a_strange_first_row_does_not_hide_the_kind_of_the_others() -> None:
    found = read('{"note": "exported today"}\n{"id": "2", "title": "x"}\n')

    assert [issue.id for issue in found.issues] == ["2"]
    assert [str(row) for row in found.rejected] == ["line 1: id: is missing"]


@pytest.mark.parametrize(
    "nested", ["[" * 50_000, '{"id": "1", "title": "x", "fields": ' + '{"a":' * 5_000 + "1" + "}" * 5_001]
)
def test_absurd_nesting_is_a_rejected_row(nested: str) -> None:
    found = read(nested)

    assert found.issues == ()
    assert len(found.rejected) == 1


def test_a_bad_element_of_a_list_is_reported_by_place_and_line() -> None:
    found = read(
        '[\n{"number": 1, "title": "x"},\n{"number": "2"},\n{"number" 3},\n17,\n{"number": 4, "title": "x"}\n]'
    )

    assert [issue.key for issue in found.issues] == ["#1", "#4"]
    assert [row.line for row in found.rejected] == [3, 4, 5]
    assert [row.reason.partition(":")[0] for row in found.rejected] == ["element 2", "element 3", "element 4"]


@pytest.mark.parametrize("start", ['{"number": 3, "ti', '{"number": 3, "title": "x"', ""])
def test_a_list_cut_in_the_middle_gives_what_came_before(start: str) -> None:
    found = read('[{"number": 1, "title": "x"},\n{"number": 2, "title": "x"},\n' + start)

    assert [issue.key for issue in found.issues] == ["#1", "#2"]
    (cut,) = found.rejected
    assert cut.line == 3
    assert "the file ends inside" in cut.reason


def test_json_lines_cut_in_the_middle_give_what_came_before() -> None:
    found = read('{"id": "1", "title": "x"}\n{"id": "2", "ti')

    assert [issue.id for issue in found.issues] == ["1"]
    assert [str(row) for row in found.rejected] == ["line 2: the file ends inside this row"]


@pytest.mark.parametrize("rest", ['"A title that', "A title,PAY-2,100", '"A title\n'])
def test_a_csv_file_cut_in_the_middle_gives_what_came_before(rest: str) -> None:
    found = read(JIRA + JIRA_ROW + rest)

    assert [issue.key for issue in found.issues] == ["PAY-1"]
    (cut,) = found.rejected
    assert cut.line == 3
    assert "the file ends inside this row" in cut.reason


def test_a_csv_row_is_reported_by_the_line_where_it_starts() -> None:
    several_lines = JIRA_ROW.replace("Export invoices", '"Export\n\ninvoices"')
    no_key = JIRA_ROW.replace("PAY-1", "")

    found = read(JIRA + several_lines + no_key)

    assert found.issues[0].title == "Export\n\ninvoices"
    assert [(row.line, row.field) for row in found.rejected] == [(5, "Issue key")]


def test_a_row_with_too_many_cells_is_reported_and_not_shifted() -> None:
    found = read(JIRA + JIRA_ROW.replace("Export invoices", "Export, invoices") + JIRA_ROW)

    assert [issue.title for issue in found.issues] == ["Export invoices"]
    assert [row.line for row in found.rejected] == [2]
    assert "8 cells where the header has 7" in found.rejected[0].reason


def test_rows_without_their_last_empty_cells_count() -> None:
    found = read(LINEAR.rstrip() + ",Roadmaps\nENG-1,ENG,x,,Todo,2026-03-02T09:00:00Z\n")

    assert len(found.issues) == 1
    assert found.rejected == ()


def test_an_issue_that_stands_twice_counts_once() -> None:
    found = read(JIRA + JIRA_ROW + JIRA_ROW)

    assert len(found.issues) == 1
    assert str(found.rejected[0]) == "line 3: id: the same issue stands on line 2"


def test_a_very_long_cell_is_read() -> None:
    text = "word " * 60_000

    assert only(read(LINEAR + f'ENG-1,ENG,x,"{text}",Todo,\n')).body == text


# -- choices ---------------------------------------------------------------------------------------------------------


def test_a_given_kind_that_the_content_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="is JSON, not a Jira CSV export"):
        read('{"id": "1", "title": "x"}\n', kind=FileKind.JIRA)
    with pytest.raises(InputError, match="is no JSON"):
        read(JIRA, kind=FileKind.GITHUB)
    with pytest.raises(InputError, match="lacks the column 'ID'"):
        read(JIRA, kind=FileKind.LINEAR)


def test_rows_that_name_no_source_get_the_one_given() -> None:
    found = read('{"id": "1", "title": "x"}\n{"id": "1", "title": "x", "source": "acme"}\n', source="upload")

    assert [issue.source for issue in found.issues] == ["upload", "acme"]


def test_statuses_and_types_that_the_file_leaves_open_can_be_mapped_by_name() -> None:
    found = read(
        '{"id": "1", "title": "x", "status": "Parked", "type": "Widget"}\n',
        statuses={"parked": StatusCategory.WAITING},
        types={"widget": IssueType.BUG},
    )

    issue = only(found)
    assert (issue.status.category, issue.type) == (StatusCategory.WAITING, IssueType.BUG)
    assert found.unmapped == {}


def test_a_status_that_nobody_mapped_is_reported_and_not_guessed() -> None:
    found = read('{"id": "1", "title": "x", "status": "Done!"}\n{"id": "2", "title": "x", "status": "Done!"}\n')

    assert {issue.status.category for issue in found.issues} == {StatusCategory.UNKNOWN}
    assert found.unmapped == {"Done!": 2}


def test_a_stream_is_read_under_the_name_given() -> None:
    with pytest.raises(InputError, match="the upload is empty"):
        read_issues(io.BytesIO(b""), name="the upload")
