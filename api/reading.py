"""Issues from a file for `check`, `explain` and `report`: read, and what could not be read is said."""

from __future__ import annotations

import sys
from datetime import tzinfo
from pathlib import Path

from backlint.api.console import Console, escape, plural
from backlint.connectors.file import FileRead, RejectedRow, read_issues
from backlint.errors import InputError

SHOWN = 10  # rejected rows to name one by one


def read_file(console: Console, name: str, *, zone: tzinfo, day_first: bool | None = None) -> FileRead:
    """The issues of the file; `-` is standard input. Times without a zone are read in `zone`.

    Bad rows are named with their lines, and the others still count. So are parts left out of rows that count.
    `day_first` says how 03/04/2026 is meant; None looks for dates in the file that can be meant in one way only.
    """
    if name == "-":
        read = read_issues(sys.stdin.buffer, zone=zone, day_first=day_first)
    else:
        path = Path(name)
        if not path.is_file():
            raise InputError(f"there is no file {name}")
        read = read_issues(path, zone=zone, day_first=day_first)
    console.say(f"{escape(name)}: {plural(len(read.issues), 'issue')} ({read.kind.value})")
    for row in read.rejected[:SHOWN]:
        console.warn(f"  {_place(row)}: {escape(row.reason)}; the row is left out")
    if len(read.rejected) > SHOWN:
        console.warn(f"  ... and {len(read.rejected) - SHOWN:,} more rows that cannot be read")
    for row in read.remarks[:SHOWN]:
        console.say(f"  {_place(row)}: {escape(row.reason)}")
    if len(read.remarks) > SHOWN:
        console.say(f"  ... and {len(read.remarks) - SHOWN:,} more remarks")
    if not read.issues:
        raise InputError(f"{name}: not one issue could be read")
    return read


def _place(row: RejectedRow) -> str:
    return escape(f"line {row.line}, {row.field}" if row.field else f"line {row.line}")
