"""Where a pull stands, as opaque text. Linear's own cursors are never kept: they hold only within one sweep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from backlint.errors import RequestRefused


@dataclass(frozen=True, slots=True)
class Sweep:
    """A place in a sweep by time: everything before `at` is done, and of `at` itself the issues in `seen`."""

    at: datetime
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """`since` alone starts an incremental pull. `number` continues a first pull behind that issue number.

    `until`, `began`, `sweep` and `is_swept` continue an incremental pull: its upper end, when it began (the next one's
    `since`), the place in the sweep, and whether the sweep is done.
    """

    since: datetime
    number: int | None = None
    until: datetime | None = None
    began: datetime | None = None
    sweep: Sweep | None = None
    is_swept: bool = False

    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str | None) -> Cursor | None:
        """RequestRefused for a text that is none of ours: pull everything anew."""
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.ValidationError, msgspec.DecodeError):
            raise RequestRefused("the stored place of the last pull cannot be read; pull again with --full") from None
