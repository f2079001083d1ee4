"""Which of the configured scopes an account can see: one that it cannot must not keep the others from being pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from backlint.errors import NotFound

T = TypeVar("T")


def visible(scopes: Iterable[str], look: Callable[[str], T], *, at_once: int = 1) -> dict[str, T | None]:
    """What `look` finds for each scope, None where it says NotFound; that rises if nothing at all can be seen.

    `at_once` is how many scopes may be looked at side by side.
    """

    def seen(scope: str) -> T | NotFound:
        try:
            return look(scope)
        except NotFound as error:
            return error

    wanted = list(dict.fromkeys(scopes))
    with ThreadPoolExecutor(at_once, thread_name_prefix="look") as pool:
        found = dict(zip(wanted, pool.map(seen, wanted), strict=True))
    hidden = [each for each in found.values() if isinstance(each, NotFound)]
    if hidden and len(hidden) == len(found):
        raise hidden[0]
    return {scope: None if isinstance(each, NotFound) else each for scope, each in found.items()}
