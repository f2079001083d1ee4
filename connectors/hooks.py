"""Webhooks as a tracker keeps them: which lead to us, which are missing, and how they are made and removed.

A hook is ours if its address is exactly ours; all others are neither shown nor touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

RENEW_BEFORE = timedelta(days=20)  # Jira's dynamic webhooks live 30 days: two weeks of failed renewals do no harm


def hook_address(public_url: str, source: str) -> str:
    """Where a source's webhooks have to lead."""
    return f"{public_url.rstrip('/')}/webhooks/{source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One webhook that leads to us. `covers` is one of `Registrar.targets`, or empty: everything there is."""

    id: str
    covers: str
    is_enabled: bool = True
    lacks: tuple[str, ...] = ()  # kinds of events that it should report and does not
    is_signed: bool | None = None  # None: the tracker does not say
    made_by: str = ""
    last_delivery: str = ""  # what the tracker says of the latest one
    expires_at: datetime | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """What keeps it from doing its work; a repair mends all of it."""
        return (
            *(("it is switched off",) if not self.is_enabled else ()),
            *((f"it does not report {', '.join(self.lacks)}",) if self.lacks else ()),
            *(("it has no secret",) if self.is_signed is False else ()),
        )


class Registrar(Protocol):
    """Every method may raise a TrackerError; PermissionMissing names the right that it takes.

    `is_movable`: a hook can be pointed at another target, because it sits at the site and not in a repository or team.
    `expires`: hooks end by themselves and must be renewed.
    """

    is_movable: bool
    expires: bool

    def targets(self) -> Sequence[str]:
        """What hooks have to cover, one hook for each."""
        ...

    def hooks(self, url: str) -> Sequence[Hook]:
        """Those that lead to `url`, whatever they cover."""
        ...

    def create(self, url: str, target: str, secret: SecretStr) -> Hook: ...

    def repair(self, hook: Hook, url: str, target: str, secret: SecretStr) -> Hook:
        """Switched on, covering the target, with all events and this secret."""
        ...

    def remove(self, hook: Hook) -> None:
        """Idempotent: a hook that is gone is no error."""
        ...

    def renew(self, hooks: Sequence[Hook]) -> None:
        """Puts off the end of those that end by themselves."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How the hooks of one source stand. `spare` cover what is no longer in scope, or cover it twice."""

    present: tuple[Hook, ...]
    missing: tuple[str, ...]
    spare: tuple[Hook, ...]

    @property
    def is_whole(self) -> bool:
        return not self.missing and not any(hook.faults for hook in self.present)


@dataclass(frozen=True, slots=True)
class Registration:
    """What `register` did."""

    created: tuple[Hook, ...]
    repaired: tuple[Hook, ...]
    kept: tuple[Hook, ...]
    spare: tuple[Hook, ...]


def standing(registrar: Registrar, url: str) -> Standing:
    """One hook counts for each target: one without faults before a faulty one. One for everything counts for all."""
    wanted = tuple(registrar.targets())
    present: dict[str, Hook] = {}
    spare: list[Hook] = []
    for hook in sorted(registrar.hooks(url), key=lambda hook: (len(hook.faults), hook.id)):
        if hook.covers in (*wanted, "") and hook.covers not in present:
            present[hook.covers] = hook
        else:
            spare.append(hook)
    missing = () if "" in present else tuple(target for target in wanted if target not in present)
    return Standing(tuple(present[target] for target in ("", *wanted) if target in present), missing, tuple(spare))


def register(registrar: Registrar, url: str, secret: SecretStr, *, new_secret: bool = False) -> Registration:
    """Make what is missing and mend what is faulty; a second call does nothing.

    A spare hook is used for a missing target before another is made. `new_secret` gives every hook the secret anew:
    trackers do not show the one they have.
    """
    found = standing(registrar, url)
    spare = list(found.spare)
    created: list[Hook] = []
    repaired: list[Hook] = []
    kept: list[Hook] = []
    for hook in found.present:
        if hook.faults or new_secret:
            repaired.append(registrar.repair(hook, url, hook.covers, secret))
        else:
            kept.append(hook)
    for target in found.missing:
        if spare and registrar.is_movable:
            repaired.append(registrar.repair(spare.pop(0), url, target, secret))
        else:
            created.append(registrar.create(url, target, secret))
    return Registration(tuple(created), tuple(repaired), tuple(kept), tuple(spare))


def remove(registrar: Registrar, url: str) -> tuple[Hook, ...]:
    """Every hook that leads to us, and no other."""
    gone = tuple(registrar.hooks(url))
    for hook in gone:
        registrar.remove(hook)
    return gone


def renew(registrar: Registrar, url: str, *, now: datetime) -> tuple[Hook, ...]:
    """Puts off the end of those that would end soon; gives them as they were."""
    if not registrar.expires:
        return ()
    ending = tuple(
        hook for hook in registrar.hooks(url) if hook.expires_at is not None and hook.expires_at - now < RENEW_BEFORE
    )
    if ending:
        registrar.renew(ending)
    return ending
