"""Real backlogs as input: every row counts. Outside the mandatory suite: the corpus is not ours to ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from backlint.connectors.file.reader import FileKind, read_issues

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder ../shared/corpus with real issues is absent")


@pytest.mark.parametrize(("name", "rows"), [("labelled.jsonl", 180), ("backlog.jsonl", 23126)])
def test_every_row_of_the_corpus_is_read(name: str, rows: int) -> None:
    found = read_issues(CORPUS / name)

    assert found.kind is FileKind.BACKLINT
    assert found.rejected == ()
    assert len(found.issues) == rows
    assert all(issue.title and issue.id for issue in found.issues)
