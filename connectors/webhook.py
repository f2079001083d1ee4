"""What every tracker's webhook comes down to: a genuine delivery, and the issues it touches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backlint.errors import BacklintError


class WebhookRefused(BacklintError):
    """Not signed with our secret, or too old: answer 401 and keep nothing."""


class WebhookUnreadable(BacklintError):
    """Genuine, and not what the tracker's documentation describes; names what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """One delivery. `issues` are ids as in `Issue.id` (a key where the tracker sends no id); they are to be read again.

    `keys` gives the key of an id where the tracker reads an issue by its key only.
    `is_handled` False: nothing to do. `is_known` False: a kind that is not even listed, worth one line in the log.
    `actor` is a person id where the tracker tells it: our own account's events are dropped by it.
    """

    delivery_id: str
    kind: str
    issues: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    actor: str | None = None
    scope: str | None = None
    is_handled: bool = True
    is_known: bool = True


def header(headers: Mapping[str, str], name: str) -> str:
    """A header whatever its case; empty when it is not there."""
    wanted = name.casefold()
    return next((value for key, value in headers.items() if key.casefold() == wanted), "")
