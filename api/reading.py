"""Issues from a file for `check`, `explain` and `report`: read, and what could not be read is said."""

from __future__ import annotations

import sys
from datetime import tzinfo
from pathlib import Path

from backlint.api.console import Console, escape, plural
from backlint.connectors.file import FileRead, read_issues
from backlint.errors import InputError

SHOWN = 10  # rejected rows to name one by one


def read_file(console: Console, name: str, *, zone: tzinfo) -> FileRead:
    """The issues of the file; `-` is standard input. Times without a zone are read in `zone`.

    Bad rows are named with their lines, and the others still count.
    """
    if name == "-":
        read = read_issues(sys.stdin.buffer, zone=zone)
    else:
        path = Path(name)
        if not path.is_file():
            raise InputError(f"there is no file {name}")
        read = read_issues(path, zone=zone)
    console.say(f"{escape(name)}: {plural(len(read.issues), 'issue')} ({read.kind.value})")
    for row in read.rejected[:SHOWN]:
        field = f", {row.field}" if row.field else ""
        console.warn(f"  line {row.line}{escape(field)}: {escape(row.reason)}; the row is left out")
    if len(read.rejected) > SHOWN:
        console.warn(f"  ... and {len(read.rejected) - SHOWN:,} more rows that cannot be read")
    if not read.issues:
        raise InputError(f"{name}: not one issue could be read")
    return read
