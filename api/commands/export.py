"""`backlint export`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from backlint.api.commands.check import require_pulled
from backlint.api.console import Console, plural
from backlint.api.installation import Installation, now, open_installation
from backlint.connectors.file.export import ExportFormat, write_findings, write_issues, write_transitions, write_writes
from backlint.errors import ConfigurationError, InputError
from backlint.sync import listing
from backlint.sync.audit import new_id
from backlint.sync.check import check_store, in_scope, load_backlog, to_json
from backlint.sync.database import reading

KINDS = ("issues", "transitions", "findings", "writes")


def run(
    console: Console, *, config: Path | None, what: str, format: str, output: Path | None, scope: str | None
) -> int:
    if what not in KINDS:
        raise ConfigurationError(f"cannot export {what!r}: use {', '.join(KINDS)}")
    if format not in list(ExportFormat):
        raise ConfigurationError(f"--format {format!r}: use {', '.join(ExportFormat)}")
    with open_installation(config) as place:
        write = _writer(place, what, ExportFormat(format), scope)
        if output is None:
            count = _print(write)
        else:
            try:
                with output.open("wb") as stream:
                    count = write(stream)
            except OSError as error:
                raise InputError(f"cannot write {output}: {error.strerror}") from None
            console.say(f"{plural(count, what.removesuffix('s'))} in {output}")
    return 0


def _print(write: Callable[[BinaryIO], int]) -> int:
    try:
        count = write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise BrokenPipeError from None  # without the number by which the command line library would answer 1
    return count


def _writer(place: Installation, what: str, format: ExportFormat, scope: str | None) -> Callable[[BinaryIO], int]:
    if what == "writes":
        return lambda stream: _writes(place, stream, format, scope)
    require_pulled(place)
    if what == "findings":
        result = check_store(place.engine, place.settings, run=new_id("check"), now=now(), scope=scope)
        findings = to_json(result)["findings"]
        return lambda stream: write_findings(findings, stream, format)
    issues = in_scope(load_backlog(place.engine, place.settings, now=now()), scope)
    if what == "transitions":
        return lambda stream: write_transitions(issues, stream, format)
    return lambda stream: write_issues(issues, stream, format)


def _writes(place: Installation, stream: BinaryIO, format: ExportFormat, scope: str | None) -> int:
    """Of a source, or of a project, team key or repository."""
    with reading(place.engine) as connection:
        rows = listing.writes(connection)
        chosen = (row for row in rows if scope is None or scope in (row["source"], row["project"]))
        return write_writes(chosen, stream, format)
