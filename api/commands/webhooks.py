"""`backlint webhooks`: the trackers' webhooks that lead to this service: made, looked at, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from backlint.api.console import Console, escape, plural
from backlint.api.installation import now
from backlint.api.webhooks import webhook_secret
from backlint.connectors import hooks
from backlint.connectors.connect import connect
from backlint.connectors.contract import Connector
from backlint.connectors.hooks import Hook
from backlint.errors import BacklintError, ConfigurationError, InputError
from backlint.settings import Settings, SourceSettings, load


def status(console: Console, *, config: Path | None, source: str | None, url: str | None) -> int:
    """What there is and what is missing. Exit code 1 if anything is."""

    def look(connector: Connector, address: str, _secret: SecretStr | None) -> dict[str, Any]:
        found = hooks.standing(connector.registrar(), address)
        for hook in found.present:
            faults = "; ".join(hook.faults)
            state = f"[red]{escape(faults)}[/red]" if faults else "in order"
            console.out(f"  {escape(_name(hook))}: {state}{escape(''.join(f'; {fact}' for fact in _facts(hook)))}")
        for target in found.missing:
            console.out(f"  {escape(target)}: [red]no webhook leads here[/red]")
        _say_spare(console, found.spare)
        if not found.is_whole:
            console.out("  -> `backlint webhooks register` makes and mends them")
        return {"is_whole": found.is_whole, "hooks": [_json(hook) for hook in found.present],
                "missing": list(found.missing), "spare": [_json(hook) for hook in found.spare]}  # fmt: skip

    return _each(console, load(config), source, url, look)


def register(console: Console, *, config: Path | None, source: str | None, url: str | None, new_secret: bool) -> int:
    """Make what is missing, mend what is faulty. A second call changes nothing."""

    def make(connector: Connector, address: str, given: SecretStr | None) -> dict[str, Any]:
        if given is None:
            raise ConfigurationError(
                f"source {connector.name!r} has no webhook_secret_env: name a variable that holds a long random text; "
                "trackers sign with it, and what is not signed is refused"
            )
        registrar = connector.registrar()
        done = hooks.register(registrar, address, given, new_secret=new_secret)
        for word, found in (("made", done.created), ("mended", done.repaired), ("in order", done.kept)):
            for hook in found:
                console.out(f"  {escape(_name(hook))}: {word}")
        renewed = hooks.renew(registrar, address, now=now())
        for hook in renewed:
            console.out(f"  {escape(_name(hook))}: renewed, it would have ended on {hook.expires_at:%Y-%m-%d}")
        _say_spare(console, done.spare)
        return {
            "is_whole": True,
            "created": [_json(hook) for hook in done.created],
            "repaired": [_json(hook) for hook in done.repaired],
            "kept": [_json(hook) for hook in done.kept],
            "renewed": [_json(hook) for hook in renewed],
            "spare": [_json(hook) for hook in done.spare],
        }

    return _each(console, load(config), source, url, make)


def remove(console: Console, *, config: Path | None, source: str | None, url: str | None) -> int:
    """Take away every webhook that leads here, and no other."""

    def take(connector: Connector, address: str, _secret: SecretStr | None) -> dict[str, Any]:
        gone = hooks.remove(connector.registrar(), address)
        for hook in gone:
            console.out(f"  {escape(_name(hook))}: removed")
        if not gone:
            console.out("  no webhook leads here")
        return {"is_whole": True, "removed": [_json(hook) for hook in gone]}

    return _each(console, load(config), source, url, take)


Work = Callable[[Connector, str, "SecretStr | None"], dict[str, Any]]


def _each(console: Console, settings: Settings, source: str | None, url: str | None, work: Work) -> int:
    """One source after the other; what one refuses does not stop the next. 2: something could not be done."""
    base = _base(settings, url)
    told: list[dict[str, Any]] = []
    for each in _chosen(settings, source):
        address = hooks.hook_address(base, each.name)
        console.out(f"{escape(each.name)}: {escape(address)}")
        facts: dict[str, Any] = {"source": each.name, "url": address}
        try:
            connector = connect(each)
            try:
                facts |= work(connector, address, webhook_secret(each))
            finally:
                connector.close()
        except BacklintError as error:
            console.warn(f"  {escape(str(error))}")
            facts |= {"is_whole": False, "error": str(error)}
        told.append(facts)
    console.json({"sources": told})
    if any("error" in facts for facts in told):
        return 2
    return 0 if all(facts["is_whole"] for facts in told) else 1


def _base(settings: Settings, url: str | None) -> str:
    base = (url or settings.service.public_url).rstrip("/")
    if not base:
        raise ConfigurationError(
            "how do trackers reach this service? Set service.public_url (or give --url), such as "
            "https://backlint.example.com"
        )
    if not base.startswith(("https://", "http://")):
        raise InputError(f"{base!r} is no web address: it starts with https:// (or http:// inside your network)")
    return base


def _chosen(settings: Settings, source: str | None) -> Sequence[SourceSettings]:
    if source is None:
        if not settings.sources:
            raise ConfigurationError("no source is configured; run `backlint init`")
        return settings.sources
    chosen = [each for each in settings.sources if each.name == source]
    if not chosen:
        names = ", ".join(each.name for each in settings.sources) or "none"
        raise InputError(f"there is no source {source!r}; configured: {names}")
    return chosen


def _name(hook: Hook) -> str:
    return hook.covers or "everything there is"


def _facts(hook: Hook) -> Iterator[str]:
    if hook.made_by:
        yield f"by {hook.made_by}"
    if hook.last_delivery:
        yield f"last delivery answered: {hook.last_delivery}"
    if hook.expires_at is not None:
        yield f"ends on {hook.expires_at:%Y-%m-%d} unless it is renewed, which `backlint serve` does"


def _say_spare(console: Console, spare: Sequence[Hook]) -> None:
    if spare:
        names = ", ".join(dict.fromkeys(map(_name, spare)))
        console.warn(
            f"  {plural(len(spare), 'webhook')} more than needed leads here ({names}): remove in the tracker, or "
            "`backlint webhooks remove` and register again"
        )


def _json(hook: Hook) -> dict[str, Any]:
    return {
        "id": hook.id, "covers": hook.covers, "is_enabled": hook.is_enabled, "faults": list(hook.faults),
        "made_by": hook.made_by or None, "last_delivery": hook.last_delivery or None,
        "expires_at": hook.expires_at.isoformat() if hook.expires_at else None,
    }  # fmt: skip
