"""How long work tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told after every saved page; called from several threads."""

    def __call__(self, *, source: str, scope: str, done: int, expected: int | None) -> None: ...


def quietly(*, source: str, scope: str, done: int, expected: int | None) -> None:
    """No progress wanted."""
