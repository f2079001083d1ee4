"""How the tests of exports hand over a file: as bytes, the way a person's file arrives."""

from __future__ import annotations

import io
from typing import Any

from backlint.connectors.file.reader import FileRead, read_issues
from backlint.model import Issue


def read(text: str | bytes, **options: Any) -> FileRead:
    data = text.encode() if isinstance(text, str) else text
    return read_issues(io.BytesIO(data), **options)


def only(found: FileRead) -> Issue:
    assert found.rejected == ()
    (issue,) = found.issues
    return issue
