"""`backlint notify`: digests that are due, or a test of every address."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backlint.api.console import Console, escape
from backlint.api.installation import now, open_installation
from backlint.errors import ConfigurationError
from backlint.settings import Settings, load
from backlint.sync.notifications import Notified, Outcome, notify, send_test


def run(console: Console, *, config: Path | None, name: str | None, is_test: bool) -> int:
    """Exit code 2 when something could not be sent."""
    settings = load(config)
    _require(settings, name)
    if is_test:
        found = send_test(settings, only=name)
    else:
        with open_installation(config) as place:
            found = notify(place.engine, place.settings, now=now(), only=name)
    show(console, found)
    console.json({"notifications": [to_json(each) for each in found]})
    return 2 if any(each.outcome is Outcome.FAILED for each in found) else 0


def _require(settings: Settings, name: str | None) -> None:
    known = [each.name for each in settings.notifications]
    if not known:
        raise ConfigurationError("no notification is configured: add [[notifications]] with name and url_env")
    if name is not None and name not in known:
        raise ConfigurationError(f"no notification is named {name!r}; there is {', '.join(known)}")


def show(console: Console, found: Iterable[Notified]) -> None:
    for each in found:
        line = f"Notification {escape(each.name)}: {each.outcome.value}"
        if each.outcome is Outcome.FAILED:
            console.warn(f"{line}: {escape(each.reason or '')}; the next audit or `backlint notify` tries again")
        elif each.until is not None:
            console.out(
                f"{line} until {each.until.isoformat(timespec='minutes')}; `backlint notify` sends it after that"
            )
        else:
            console.out(
                f"{line}{f' ({escape(each.digest.title)})' if each.digest and not each.digest.is_empty else ''}"
            )


def to_json(each: Notified) -> dict[str, Any]:
    changed = each.digest
    return {
        "name": each.name,
        "outcome": each.outcome.name.lower(),
        "new": len(changed.new) if changed else 0,
        "fixed": len(changed.fixed) if changed else 0,
        "waived": len(changed.waived) if changed else 0,
        "held_until": each.until.isoformat() if each.until else None,
        "reason": each.reason,
    }
