"""Bytes to text, in pieces, with a message that names the place when the bytes are no text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from backlint.errors import InputError

CHUNK = 1 << 20
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
# UTF-16 begins with the same bytes as UTF-32 in one byte order; no tracker and no spreadsheet exports UTF-32.
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NO_TEXT = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "export it as CSV or JSON"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "export it as CSV"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"%PDF", "a PDF", "export it as CSV or JSON"),
    (b"PAR1", "a Parquet file", "use the JSON Lines export"),
)


def decoded(stream: BinaryIO, name: str) -> Iterator[str]:
    """The text of the stream in large pieces. UTF-8, or UTF-16 with its byte order mark; anything else is refused."""
    data = stream.read(CHUNK)
    _refuse_no_text(data, name)
    mark, encoding = next(((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, line = len(mark), 1
    data = data[offset:]
    while True:
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            if not data:
                return  # cut inside a character: the text before it counts, and whoever reads it sees the cut
            good = bytes(error.object[: error.start]).decode(encoding, "replace")
            raise _not_text(name, offset - waiting + error.start, line + good.count("\n"), encoding) from None
        if not data:
            return
        offset += len(data)
        line += text.count("\n")
        yield text
        data = stream.read(CHUNK)


def lines(pieces: Iterable[str]) -> Iterator[str]:
    """Physical lines with their ends, as a text editor counts them.

    Unlike in `str.splitlines`, form feeds and Unicode line separators are ordinary characters of a cell.
    """
    rest = ""
    for piece in pieces:
        found = _LINE.findall(rest + piece)
        # A piece may end between \r and \n, so its last line waits for the next one.
        rest = found.pop() if found else ""
        yield from found
    yield from _LINE.findall(rest)


def _refuse_no_text(data: bytes, name: str) -> None:
    for start, what, remedy in _NO_TEXT:
        if data.startswith(start):
            raise InputError(f"{name} is {what}, not text: {remedy}")
    if b"\x00" in data[:4] and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _not_text(name, data.index(b"\x00"), 1, "utf-8")


def _not_text(name: str, offset: int, line: int, encoding: str) -> InputError:
    wanted = "UTF-8" if encoding == "utf-8" else "UTF-16"
    return InputError(
        f"{name} is not {wanted}: byte {offset} (line {line}) is no character. Save it as UTF-8 and try again"
        " (in Excel: Save As, CSV UTF-8; elsewhere: iconv -f WINDOWS-1252 -t UTF-8)"
    )
