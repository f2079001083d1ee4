"""How commands speak: facts to standard output, messages and progress to standard error, plain where nobody watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

SEVERITY_STYLE = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "dim"}
LINE_EVERY = 500  # without a terminal: one line for so many issues, and ten lines at most


class _Stream(RichConsole):
    """Rich's console ends the program with exit code 1 when the reader goes away; here that means "findings"."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Console:
    """One command's voice. `say` is for people and silent with --quiet; `out` is the result itself."""

    format: Format
    quiet: bool
    _out: RichConsole
    _err: RichConsole

    @classmethod
    def make(cls, *, format: Format = Format.TEXT, quiet: bool = False, no_color: bool = False) -> Console:
        options: dict[str, Any] = {"no_color": True} if no_color else {}
        return cls(
            format,
            quiet,
            _Stream(soft_wrap=True, highlight=False, **options),
            _Stream(stderr=True, soft_wrap=True, highlight=False, **options),
        )

    @property
    def is_json(self) -> bool:
        return self.format is Format.JSON

    def out(self, text: str = "") -> None:
        """A line of the result; Rich markup is understood, so pass foreign text through `escape`."""
        if not self.is_json:
            self._out.print(text)

    def raw(self, text: str) -> None:
        """Text exactly as it is, to standard output."""
        try:
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            raise BrokenPipeError from None  # without the number by which the command line library would answer 1

    def json(self, value: Any) -> None:
        if self.is_json:
            self.raw(json.dumps(value, ensure_ascii=False, indent=2))

    def say(self, text: str) -> None:
        """A message about the work, to standard error."""
        if not self.quiet:
            self._err.print(text)

    def warn(self, text: str) -> None:
        """A message that --quiet does not silence."""
        self._err.print(f"[yellow]{text}[/yellow]" if "[" not in text else text)

    @contextmanager
    def progress(self, title: str) -> Iterator[Bars]:
        """Bars on a terminal, plain lines elsewhere, nothing with --quiet."""
        if self.quiet:
            yield Bars(None, None)
        elif self._err.is_terminal:
            with Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._err,
                transient=True,
            ) as progress:
                yield Bars(progress, None)
        else:
            self._err.print(title)
            yield Bars(None, self._err)


class Bars:
    """One bar for each thing that moves; thread-safe."""

    def __init__(self, progress: Progress | None, lines: RichConsole | None) -> None:
        self._progress, self._lines = progress, lines
        self._tasks: dict[str, Any] = {}
        self._printed: dict[str, int] = {}
        self._lock = Lock()

    def move(self, name: str, done: int, total: int | None) -> None:
        with self._lock:
            if self._progress is not None:
                if name not in self._tasks:
                    self._tasks[name] = self._progress.add_task(escape(name), total=total)
                self._progress.update(self._tasks[name], completed=done, total=total)
            elif self._lines is not None and (done == total or self._is_due(name, done, total)):
                self._printed[name] = done
                self._lines.print(f"  {escape(name)}: {done}{f' of {total}' if total else ''}")

    def _is_due(self, name: str, done: int, total: int | None) -> bool:
        return done - self._printed.get(name, 0) >= max(LINE_EVERY, (total or 0) // 10)

    def pulled(self, *, source: str, scope: str, done: int, expected: int | None) -> None:
        """The shape that `sync.pull` reports progress in."""
        self.move(f"{source} {scope}" if source != scope else source, done, expected)


def severity(text: str) -> str:
    """A severity in its colour."""
    return f"[{SEVERITY_STYLE.get(text, '')}]{text}[/]" if text in SEVERITY_STYLE else text


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """`1 issue`, `2,000 issues`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


__all__ = ["Bars", "Console", "Format", "escape", "plural", "severity"]
