"""Which of the configured scopes an account can see: one that it cannot must not keep the others from being pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from backlint.errors import TokenRefused, TrackerDown, TrackerError

T = TypeVar("T")


def visible(scopes: Iterable[str], look: Callable[[str], T], *, at_once: int = 1) -> dict[str, T | None]:
    """What `look` finds for each scope, None where it is hidden, forbidden or spoiled; that rises if all of them are.

    A tracker that does not answer at all, or refuses the token, is no matter of one scope. `at_once` is how many scopes
    may be looked at side by side.
    """

    def seen(scope: str) -> T | TrackerError:
        try:
            return look(scope)
        except TrackerError as error:
            if not _is_about_one(error):
                raise
            return error

    wanted = list(dict.fromkeys(scopes))
    with ThreadPoolExecutor(at_once, thread_name_prefix="look") as pool:
        found = dict(zip(wanted, pool.map(seen, wanted), strict=True))
    hidden = [each for each in found.values() if isinstance(each, TrackerError)]
    if hidden and len(hidden) == len(found):
        raise hidden[0]
    return {scope: None if isinstance(each, TrackerError) else each for scope, each in found.items()}


def _is_about_one(error: TrackerError) -> bool:
    if isinstance(error, TrackerDown):
        return error.status is not None and error.status < 500  # a page of HTML where this one should be
    return not isinstance(error, TokenRefused)
