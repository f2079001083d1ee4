"""Tables in the formats that are text: Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# A cell that begins so would run as a formula in a spreadsheet; titles come from anybody who may open an issue.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """One table with a header line. Texts that a spreadsheet would run are quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()) -> str:
    """A table; `numbers` are the columns that are set to the right."""
    rules = ["---:" if column in numbers else "---" for column in range(len(header))]
    lines = [header, rules, *([str(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def plain(text: str) -> str:
    """A foreign text as Markdown that shows it literally and stays in its table cell."""
    text = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]<>|#~" else sign for sign in text)


def link(text: str, url: str | None) -> str:
    """A Markdown link; the plain text where the address is missing or is none that a browser should follow."""
    if not is_web(url):
        return plain(text)
    return f"[{plain(text)}](<{str(url).replace('<', '%3C').replace('>', '%3E')}>)"


def is_web(url: str | None) -> bool:
    """Whether an address may become a link: only the web's, since it comes from a tracker's data."""
    return url is not None and url.startswith(("https://", "http://")) and not any(sign.isspace() for sign in url)
