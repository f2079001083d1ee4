"""Reads what a pull kept of a site beside its payloads, so that they can be mapped again."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from backlint.errors import StoreError


class Versioned(Protocol):
    @property
    def v(self) -> int: ...


K = TypeVar("K", bound=Versioned)


def read_kept(raw: bytes, kind: type[K], *, version: int, what: str, source: str) -> K:
    """StoreError, with the remedy, for what cannot be read or was kept by a program of another version."""
    try:
        found = msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as error:
        raise StoreError(f"{source}: what the store keeps of the {what} cannot be read ({error}); pull again") from None
    if found.v != version:
        raise StoreError(f"{source}: what the store keeps of the {what} is of another version; pull again")
    return found
