"""CSV rows with the line where each starts, columns that may repeat, and the end of a cut file."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

# Descriptions are longer than the standard library's limit of 128 KiB for a cell: Linear sets no limit of its own.
_LONGEST_CELL = 64 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells by column name; a name may stand over several columns."""

    line: int
    cells: tuple[str, ...]
    columns: dict[str, list[int]]

    def all(self, name: str) -> list[str]:
        """Every cell under the name that holds something, in order."""
        found = (self.cells[index] for index in self.columns.get(name.casefold(), ()) if index < len(self.cells))
        return [cell for cell in found if cell.strip()]

    def first(self, *names: str) -> str | None:
        """The first cell that holds something, by the order of the names."""
        for name in names:
            for cell in self.all(name):
                return cell.strip()
        return None

    def text(self, name: str) -> str:
        """A long text as it stands, spaces included."""
        return next(iter(self.all(name)), "")


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reason: str


class Table:
    """A CSV text whose first row names the columns."""

    def __init__(self, lines: Iterator[str]) -> None:
        # The limit is the process's own; raising it harms nobody who reads cells of the usual size.
        csv.field_size_limit(_LONGEST_CELL)
        self._lines = _Counted(lines)
        first = next(self._lines, "")
        self._lines.push(first)
        self._rows = csv.reader(self._lines, delimiter=_delimiter(first))
        self.header = tuple(cell.strip() for cell in next(self._rows, []))
        self.columns: dict[str, list[int]] = defaultdict(list)
        for index, name in enumerate(self.header):
            self.columns[name.casefold()].append(index)
        self.columns = dict(self.columns)
        self._narrowest = len(self.header)

    def has(self, *names: str) -> bool:
        return all(name.casefold() in self.columns for name in names)

    def __iter__(self) -> Iterator[Row | BadRow]:
        while True:
            line = self._lines.number + 1
            try:
                cells = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadRow(line, f"not CSV: {error}")
                continue
            if any(cell.strip() for cell in cells):
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row | BadRow:
        width = len(self.header)
        surplus = [cell for cell in cells[width:] if cell.strip()]
        if self._lines.ended_inside_a_row:
            return BadRow(line, "the file ends inside this row")
        if not self._lines.last_is_complete and len(cells) < self._narrowest:
            return BadRow(line, f"the file ends inside this row, after {len(cells)} of {width} cells")
        if surplus:
            # One cell too many shifts every cell behind it, and nothing tells where the shift begins.
            return BadRow(line, f"{len(cells)} cells where the header has {width}: is a comma not quoted?")
        # Linear leaves out empty cells at the end, so a row may be narrower than the header.
        self._narrowest = min(self._narrowest, len(cells))
        return Row(line, tuple(cells), self.columns)


class _Counted(Iterator[str]):
    """Lines as the CSV reader takes them, counted."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._source = lines
        self._pushed: list[str] = []
        self.number = 0
        self.last_is_complete = True
        self.ended_inside_a_row = False

    def push(self, line: str) -> None:
        self._pushed.append(line)
        self.number -= 1

    def __next__(self) -> str:
        self.ended_inside_a_row = True  # the reader asks for a line after the last one only when it is inside a quote
        line = self._pushed.pop() if self._pushed else next(self._source)
        self.ended_inside_a_row = False
        self.number += 1
        self.last_is_complete = line.endswith(("\n", "\r"))
        return line


def _delimiter(header: str) -> str:
    """Jira offers a semicolon, and spreadsheets of many countries save with one."""
    return max(",;\t", key=header.count)
