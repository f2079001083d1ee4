"""`backlint init`: asks the tracker what exists, lets a person choose, and writes the configuration."""

from __future__ import annotations

import difflib
import fnmatch
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from backlint.api.configuration import (
    FieldChoice,
    SourceChoice,
    StatusChoice,
    agreed,
    further_source,
    new_file,
    proposed_fields,
    proposed_statuses,
)
from backlint.api.console import Console, escape, plural
from backlint.api.questions import (
    Check,
    Nobody,
    Questions,
    Terminal,
    is_filled,
    is_name,
    is_tracker,
    is_url,
    is_variable,
    is_zone,
    one_of,
    parts,
    tidy_url,
)
from backlint.connectors.connect import connect
from backlint.connectors.contract import SourceFacts
from backlint.errors import ConfigurationError
from backlint.model import StatusCategory, Tracker
from backlint.settings import DEFAULT_FILE, DEFAULT_URLS, SourceSettings, load

TOKEN_VARIABLES = {Tracker.JIRA: "JIRA_TOKEN", Tracker.LINEAR: "LINEAR_API_KEY", Tracker.GITHUB: "GITHUB_TOKEN"}
TOKEN_PAGES = {
    Tracker.JIRA: "Jira Cloud: id.atlassian.com, Security; Data Center: your profile, Personal Access Tokens",
    Tracker.LINEAR: "Linear: Settings, Security & access, Personal API keys",
    Tracker.GITHUB: "GitHub: Settings, Developer settings, Personal access tokens",
}
SCOPES = {
    Tracker.JIRA: "project keys",
    Tracker.LINEAR: "team keys",
    Tracker.GITHUB: "owner/repository, or owner/* for all of an owner",
}
SHOWN_SCOPES = 40
MOST_ASKED = 12  # statuses without a category; beyond, they are left as comments


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the command line said already; None is asked for."""

    tracker: str | None = None
    url: str | None = None
    user: str | None = None
    token_env: str | None = None
    name: str | None = None
    scope: tuple[str, ...] = ()


def run(
    console: Console,
    *,
    config: Path | None,
    force: bool,
    given: Answers,
    add: bool = False,
    questions: Questions | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Write the file, or with `add` one more source into it. Whatever happens, a file that was there stays usable."""
    file = config or DEFAULT_FILE
    taken = _names_in(file, force=force, add=add)
    ask = questions or (Terminal() if sys.stdin.isatty() else Nobody())
    choice = _choose(console, given, ask, taken=taken, sleep=sleep)
    if add:
        text = file.read_text(encoding="utf-8").rstrip("\n") + "\n" + further_source(choice)
    else:
        zone = ask.text("Time zone for printing and for days", option="timezone", default=_zone_here(), check=is_zone)
        text = new_file(choice, timezone=zone)
    _write(file, text)
    _say_what_next(console, choice, file, is_default=config is None)


def _names_in(file: Path, *, force: bool, add: bool) -> tuple[str, ...]:
    """The names of sources that are taken; refuses to overwrite."""
    if add:
        return tuple(source.name for source in load(file).sources)
    if file.exists() and not force:
        raise ConfigurationError(
            f"{file} exists: --add puts a further source into it, --force replaces it, --config FILE writes another one"
        )
    if not file.resolve().parent.is_dir():
        raise ConfigurationError(f"there is no folder {file.resolve().parent}")
    return ()


# -- choosing ----------------------------------------------------------------------------------------------------------


def _choose(
    console: Console, given: Answers, ask: Questions, *, taken: Sequence[str], sleep: Callable[[float], None]
) -> SourceChoice:
    tracker = Tracker(_answer(given.tracker, ask, "Tracker (jira, linear, github)", "--tracker", check=is_tracker))
    url = _url(given, ask, tracker)
    user = _user(given, ask, tracker, url)
    variable = _token_variable(given, ask, tracker)
    name = _answer(
        given.name,
        ask,
        "A short name for this source",
        "--name",
        _free(_name_from(url, tracker), taken),
        is_name(taken),
    )
    wanted = tuple(parts(",".join(given.scope)))
    if tracker is Tracker.GITHUB and not wanted:
        # A token may see thousands of repositories, and what boards there are depends on which of them are chosen.
        answer = ask.text(f"Repositories ({SCOPES[tracker]})", option="--scope", default=None, check=is_filled)
        wanted = tuple(parts(answer))
    choice = SourceChoice(name=name, tracker=tracker, url=url, user=user, scope=wanted, token_env=variable)
    facts = _discover(console, choice, sleep)
    if tracker is not Tracker.GITHUB:
        choice = replace(choice, scope=_scope(console, wanted, ask, facts, tracker))
    return replace(choice, statuses=_statuses(console, ask, facts), fields=_fields(console, ask, facts))


def _discover(console: Console, choice: SourceChoice, sleep: Callable[[float], None]) -> SourceFacts:
    source = SourceSettings(
        name=choice.name,
        tracker=choice.tracker,
        url=choice.url,
        user=choice.user,
        scope=choice.scope if choice.tracker is Tracker.GITHUB else ("*",),
        token_env=choice.token_env,
    )
    try:
        connector = connect(source, sleep=sleep)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error}.\nA token is made here: {TOKEN_PAGES[choice.tracker]}.\nThen go on with: {_again(choice)}"
        ) from None
    console.say(f"Asking {escape(urlsplit(source.base_url).netloc)} what there is ...")
    with closing(connector):
        return connector.discover()


def _again(choice: SourceChoice) -> str:
    """The command with all that was answered already."""
    options = {
        "--tracker": choice.tracker.value,
        "--url": choice.url,
        "--user": choice.user,
        "--token-env": choice.token_env,
        "--name": choice.name,
        "--scope": ",".join(choice.scope),
    }
    given = [word for option, value in options.items() if value for word in (option, value)]
    return shlex.join(["backlint", "init", *given])


def _answer(
    given: str | None,
    ask: Questions,
    question: str,
    option: str,
    default: str | None = None,
    check: Check = lambda answer: "",
) -> str:
    """What the command line said, if it did; the checks are the same."""
    if given is None:
        return ask.text(question, option=option, default=default, check=check)
    if problem := check(given.strip()):
        raise ConfigurationError(f"{option}: {problem}")
    return given.strip()


def _url(given: Answers, ask: Questions, tracker: Tracker) -> str:
    """Empty where the tracker has one address for everybody and that one is meant."""
    usual = DEFAULT_URLS.get(tracker)
    question = "Address of the site (https://...)" if usual is None else "Address of the API"
    url = tidy_url(_answer(given.url, ask, question, "--url", usual, is_url))
    return "" if url == usual else url


def _user(given: Answers, ask: Questions, tracker: Tracker, url: str) -> str:
    if tracker is not Tracker.JIRA:
        return ""
    is_cloud = (urlsplit(url).hostname or "").endswith((".atlassian.net", "api.atlassian.com"))
    question = "E-mail address of the token's account" + ("" if is_cloud else " (empty for Jira Data Center)")
    return _answer(given.user, ask, question, "--user", None if is_cloud else "")


def _token_variable(given: Answers, ask: Questions, tracker: Tracker) -> str:
    question = "Environment variable that holds the token"
    return _answer(given.token_env, ask, question, "--token-env", TOKEN_VARIABLES[tracker], is_variable)


def _scope(
    console: Console, wanted: tuple[str, ...], ask: Questions, facts: SourceFacts, tracker: Tracker
) -> tuple[str, ...]:
    """Scopes by key or by human name; every one is looked up in what the tracker has."""
    if not facts.scopes:
        raise ConfigurationError(f"the account of this token sees no {SCOPES[tracker]}: give it access, or use another")
    if not wanted:
        for scope, name in facts.scopes[:SHOWN_SCOPES]:
            console.say(f"  {escape(scope)}  {escape(name)}")
        if len(facts.scopes) > SHOWN_SCOPES:
            console.say(f"  ... and {len(facts.scopes) - SHOWN_SCOPES:,} more")
        question = f"Which ones ({SCOPES[tracker]}, separated by commas; * for all)"
        answer = ask.text(question, option="--scope", default=None, check=lambda text: _unknown(parts(text), facts))
        wanted = tuple(parts(answer))
    elif problem := _unknown(wanted, facts):
        raise ConfigurationError(f"--scope: {problem}")
    return tuple(dict.fromkeys(_key(each, facts) or each for each in wanted))


def _unknown(wanted: Sequence[str], facts: SourceFacts) -> str:
    """What is wrong with the wanted scopes, with the near ones."""
    if not wanted:
        return "name at least one"
    for each in wanted:
        if _key(each, facts) is None:
            names = {text.casefold(): key for key, name in facts.scopes for text in (key, name)}
            close = difflib.get_close_matches(each.casefold(), names, n=3, cutoff=0.5)
            near = dict.fromkeys(names[text] for text in close) or dict.fromkeys(key for key, _ in facts.scopes[:10])
            return f"there is no {each!r}, or this token cannot see it; there is {', '.join(near)}"
    return ""


def _key(wanted: str, facts: SourceFacts) -> str | None:
    """The scope's own spelling; a pattern that fits something stays a pattern."""
    if any(sign in wanted for sign in "*?["):
        return wanted if any(fnmatch.fnmatchcase(key, wanted.upper()) for key, _ in facts.scopes) else None
    return next((key for key, name in facts.scopes if wanted.casefold() in (key.casefold(), name.casefold())), None)


def _statuses(console: Console, ask: Questions, facts: SourceFacts) -> tuple[StatusChoice, ...]:
    choices = proposed_statuses(facts.statuses)
    suggested = [choice for choice in choices if choice.category is not None]
    open_ends = [choice for choice in choices if choice.category is None]
    if suggested:
        console.say("By their names, these statuses may mean something else than the tracker says:")
        for choice in suggested:
            category = choice.category.value if choice.category else ""
            console.say(f"  {escape(choice.fact.name)}: {category} instead of {choice.fact.default.value}")
    take_all = bool(suggested) and ask.confirm("Is that right for all of them?")
    settled = [replace(choice, is_agreed=take_all or _is_agreed(ask, choice)) for choice in suggested]
    if len(open_ends) <= MOST_ASKED:
        open_ends = [_categorised(ask, choice) for choice in open_ends]
    return (*settled, *open_ends)


def _is_agreed(ask: Questions, choice: StatusChoice) -> bool:
    return choice.category is not None and ask.confirm(f"  Is {choice.fact.name!r} {choice.category.value}?")


def _categorised(ask: Questions, choice: StatusChoice) -> StatusChoice:
    names = [category.value for category in StatusCategory if category is not StatusCategory.UNKNOWN]
    question = f"What is {choice.fact.name!r} ({', '.join(names)}; empty: decide later)"
    answer = ask.text(
        question, option="statuses", default="", check=lambda text: "" if text in ("", *names) else one_of(text, names)
    )
    return replace(choice, category=StatusCategory(answer), is_agreed=True) if answer else choice


def _fields(console: Console, ask: Questions, facts: SourceFacts) -> tuple[FieldChoice, ...]:
    choices = proposed_fields(facts.fields)
    if not choices:
        return ()
    console.say("By their names, rules can use these fields:")
    for choice in choices:
        console.say(f"  {choice.role}: {escape(choice.name)} ({escape(choice.id)})")
    return agreed(choices) if ask.confirm("Use them?") else choices


# -- what can be assumed -----------------------------------------------------------------------------------------------


def _name_from(url: str, tracker: Tracker) -> str:
    """`acme` for acme.atlassian.net, else the tracker's name."""
    host = urlsplit(url).hostname or ""
    first = host.removesuffix(".atlassian.net")
    is_plain = host.endswith(".atlassian.net") and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", first)
    return first if is_plain else tracker.value


def _free(name: str, taken: Sequence[str]) -> str:
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def _zone_here() -> str:
    """The machine's own zone where it can be told, as on Linux and macOS; else UTC."""
    local = Path("/etc/localtime")
    zone = str(local.resolve()).rpartition("zoneinfo/")[2] if local.is_symlink() else ""
    return zone if zone in available_timezones() and zone != "Etc/UTC" else "UTC"


# -- writing -----------------------------------------------------------------------------------------------------------


def _write(file: Path, text: str) -> None:
    """Beside its place first: only a file that loads takes the place of the old one."""
    draft = file.with_name(f".{file.name}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        load(draft)
        draft.replace(file)
    except OSError as error:
        raise ConfigurationError(f"cannot write {file}: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _say_what_next(console: Console, choice: SourceChoice, file: Path, *, is_default: bool) -> None:
    console.out(f"{escape(str(file))} written: {escape(choice.name)} reads {escape(', '.join(choice.scope))}.")
    agreements = [each.is_agreed for each in choice.statuses] + [each.is_agreed for each in choice.fields]
    undecided = agreements.count(False)
    if undecided:
        console.say(f"{plural(undecided, 'proposal')} not agreed to: commented out in the file, for you to look at.")
    option = "" if is_default else f" --config {file}"
    console.say(
        f"Next: `backlint doctor{escape(option)}` looks whether all is well, `backlint pull{escape(option)}` reads "
        f"the issues, `backlint check{escape(option)}` judges them. Nothing is written to the tracker until "
        "write_back.mode is set."
    )
