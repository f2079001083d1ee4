"""Questions to a person, with the checks of the answers; where nobody is at a terminal, what may be assumed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import typer

from backlint.errors import ConfigurationError
from backlint.model import Tracker

TRACKERS = (Tracker.JIRA, Tracker.LINEAR, Tracker.GITHUB)
# How tokens begin: one of these as the name of a variable is the token itself, which must not be printed or written.
TOKEN_BEGINNINGS = ("ghp_", "gho_", "ghs_", "github_pat_", "lin_api_", "lin_oauth_", "ATATT")

Check = Callable[[str], str]  # what is wrong with an answer; empty when nothing is


class Questions(Protocol):
    """Who answers. `default` None: there is no answer that could be assumed."""

    def text(self, question: str, *, option: str, default: str | None, check: Check) -> str: ...

    def confirm(self, question: str) -> bool: ...


class Terminal:
    """A person at a terminal. Asks again while an answer cannot be right."""

    def text(self, question: str, *, option: str, default: str | None, check: Check) -> str:
        while True:
            answer = str(self._prompt(question, default)).strip()
            problem = check(answer)
            if not problem:
                return answer
            typer.echo(f"  {problem}", err=True)

    def confirm(self, question: str) -> bool:
        try:
            return typer.confirm(question, default=True, err=True)
        except typer.Abort:
            raise _stopped() from None

    @staticmethod
    def _prompt(question: str, default: str | None) -> object:
        try:
            return typer.prompt(question, default=default, show_default=bool(default), err=True)
        except typer.Abort:
            raise _stopped() from None


class Nobody:
    """No terminal: what can be assumed is assumed, nothing is agreed to, everything else is an error."""

    def text(self, question: str, *, option: str, default: str | None, check: Check) -> str:
        if default is None:
            raise ConfigurationError(f"{option} is missing, and there is no terminal to ask at: {question}")
        return default

    def confirm(self, question: str) -> bool:
        return False


def _stopped() -> ConfigurationError:
    return ConfigurationError("stopped; nothing was written")


# -- what an answer must be --------------------------------------------------------------------------------------------


def parts(text: str) -> list[str]:
    """The parts of an answer between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def is_filled(text: str) -> str:
    return "" if parts(text) else "name at least one"


def is_tracker(text: str) -> str:
    names = [tracker.value for tracker in TRACKERS]
    return "" if text in names else one_of(text, names)


def is_zone(text: str) -> str:
    return "" if text in available_timezones() else one_of(text, sorted(available_timezones()))


def one_of(text: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(text, names, n=1)
    if near:
        return f"{text!r} is none of them; did you mean {near[0]!r}?"
    return f"{text!r} is none of them" + (f": {', '.join(names)}" if len(names) < 10 else "")


def is_url(text: str) -> str:
    try:
        found = urlsplit(tidy_url(text))
    except ValueError:  # as for an unclosed bracket
        return f"{text!r} is no address: write https://..."
    if found.username or found.password:
        return "leave the user and the password out of the address"
    return "" if found.scheme in ("http", "https") and found.hostname else f"{text!r} is no address: write https://..."


def tidy_url(text: str) -> str:
    """As people paste it: without the scheme, or with the path of some page behind a Jira Cloud address."""
    url = text if "://" in text else f"https://{text}"
    found = urlsplit(url)
    is_page = (found.hostname or "").endswith(".atlassian.net")
    return f"{found.scheme}://{found.netloc}" if is_page else url.rstrip("/")


def is_variable(text: str) -> str:
    """Never repeats the answer: it may be the token itself."""
    if text.startswith(TOKEN_BEGINNINGS) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        return "this is not the name of a variable; put the token into a variable, and name the variable here"
    return ""


def is_name(taken: Sequence[str]) -> Check:
    def check(text: str) -> str:
        if text in taken:
            return f"a source is named {text!r} already"
        is_plain = re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", text)
        return "" if is_plain else "use 1 to 40 small letters, digits, - or _"

    return check
