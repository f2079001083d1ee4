"""Which of the configured scopes an account can see: one that it cannot must not keep the others from being pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from backlint.errors import NotFound

T = TypeVar("T")


def visible(scopes: Iterable[str], look: Callable[[str], T]) -> dict[str, T | None]:
    """What `look` finds for each scope, None where it says NotFound; that rises if nothing at all can be seen."""
    found: dict[str, T | None] = {}
    hidden: NotFound | None = None
    for scope in scopes:
        try:
            found[scope] = look(scope)
        except NotFound as error:
            found[scope], hidden = None, hidden or error
    if hidden is not None and not any(each is not None for each in found.values()):
        raise hidden
    return found
