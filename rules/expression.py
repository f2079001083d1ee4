"""Expressions in CEL over an issue: the one place that knows the library.

The Common Expression Language (github.com/google/cel-spec) has no loops but over lists that exist, and its regular
expressions are RE2's, whose time is linear in the text. What is left to bound is bounded here: the length of an
expression, how deep its loops nest, the sizes of what it reads; and what could grow without end (`+` and `map`) is not
in the language. The library itself stops after 10,000 turns of all loops together.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from types import MappingProxyType
from typing import Any

from cel_expr_python import cel

from backlint.custom_rules import Place
from backlint.errors import ConfigurationError
from backlint.model import Issue, Markup
from backlint.rules.rule import Context

MAX_EXPRESSION = 2_000  # characters
MAX_NESTED_LOOPS = 2
MAX_LOOPS = 8
MAX_TEXT = 100_000  # characters that one variable may hold, its parts together
MAX_ENTRIES = 1_000  # of a list or a table
_LOOPS = ("all", "exists", "exists_one", "filter")
# The standard library without what makes larger values out of smaller ones.
_CONFIG = """\
name: backlint
stdlib:
  exclude_macros: [map]
  exclude_functions:
    - name: _+_
"""
_REMEDY = {
    "_+_": "there is no + here: compare the parts, or subtract on the other side",
    "map": "there is no map here: exists, all, exists_one and filter look at lists",
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that expressions may use: its type, how an issue gives it, and what the guide says of it."""

    type: Any
    read: Callable[[Issue, Context], Any]
    about: str


class CannotSayError(Exception):
    """The expression gave no answer for this issue. `is_missing`: it asks for a value that the issue does not have."""

    def __init__(self, reason: str, *, is_missing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_missing = is_missing


def _at(value: datetime | date | None) -> datetime | None:
    """A moment; a day begins at midnight UTC."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time(), UTC)


def _project(issue: Issue, context: Context) -> str:
    project = context.backlog.project(issue)
    return project.name if project is not None else issue.project or ""


def _people_comments(issue: Issue, _: Context) -> int:
    return sum(not comment.is_bot and not comment.is_own for comment in issue.comments)


def _plain(value: Any) -> Any:
    """A mapped field's value in types that CEL has."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


_TEXT, _FLAG, _WHOLE, _TIME = cel.Type.STRING, cel.Type.BOOL, cel.Type.INT, cel.Type.TIMESTAMP
_TEXTS = cel.Type.List(cel.Type.STRING)
_MAYBE = cel.Type.DYN  # CEL has no type "number or null" that Python's None may enter

VARIABLES: Mapping[str, Variable] = MappingProxyType(
    {
        "issue.key": Variable(_TEXT, lambda i, c: i.key, "text, as people write it: PAY-12"),
        "issue.title": Variable(_TEXT, lambda i, c: i.title, "text"),
        "issue.body": Variable(
            _TEXT, lambda i, c: c.texts.body(i).text if i.markup is Markup.ADF else i.body, "text, as written"
        ),
        "issue.text": Variable(
            _TEXT,
            lambda i, c: "\n".join(line.text for line in c.texts.body(i).lines),
            "text: what the author wrote, without templates, quotes, code and placeholders",
        ),
        "issue.words": Variable(_WHOLE, lambda i, c: c.texts.body(i).words, "whole number: words of issue.text"),
        "issue.headings": Variable(
            _TEXTS, lambda i, c: [section.heading for section in c.texts.body(i).sections], "list of text"
        ),
        "issue.type": Variable(_TEXT, lambda i, c: i.type.value, "text: story, bug, task, epic ..."),
        "issue.type_name": Variable(_TEXT, lambda i, c: i.type_name or "", "text: the tracker's own word"),
        "issue.status": Variable(_TEXT, lambda i, c: i.status.name, "text: the tracker's own word"),
        "issue.category": Variable(
            _TEXT, lambda i, c: i.status.category.value, "text: triage, backlog, todo, active, waiting, done ..."
        ),
        "issue.resolution": Variable(_TEXT, lambda i, c: i.resolution or "", "text"),
        "issue.is_open": Variable(_FLAG, lambda i, c: i.is_open, "true or false"),
        "issue.is_started": Variable(_FLAG, lambda i, c: i.is_started, "true or false"),
        "issue.is_near": Variable(
            _FLAG, lambda i, c: c.is_near(i), "true or false: started, ready, in a sprint or ranked high"
        ),
        "issue.priority": Variable(_MAYBE, lambda i, c: i.priority, "whole number, 1 the highest, or null"),
        "issue.estimate": Variable(_MAYBE, lambda i, c: i.estimate, "number or null"),
        "issue.labels": Variable(_TEXTS, lambda i, c: sorted(i.labels), "list of text"),
        "issue.assignees": Variable(_TEXTS, lambda i, c: list(i.assignees), "list of text: the tracker's ids"),
        "issue.accountable": Variable(_TEXTS, lambda i, c: list(i.accountable), "list of text: the tracker's ids"),
        "issue.reporter": Variable(_TEXT, lambda i, c: i.reporter or "", "text: the tracker's id"),
        "issue.source": Variable(_TEXT, lambda i, c: i.source, "text: its name in backlint.toml"),
        "issue.tracker": Variable(_TEXT, lambda i, c: i.tracker.value, "text: jira, linear, github, file"),
        "issue.project": Variable(_TEXT, _project, "text: its name"),
        "issue.team": Variable(_TEXT, lambda i, c: i.team or "", "text"),
        "issue.parent": Variable(_TEXT, lambda i, c: i.parent or "", "text: the tracker's id"),
        "issue.sprints": Variable(
            _TEXTS, lambda i, c: [each.sprint.name for each in i.sprints if each.removed_at is None], "list of names"
        ),
        "issue.links": Variable(
            cel.Type.List(cel.Type.Map(_TEXT, _TEXT)),
            lambda i, c: [{"kind": link.kind.value, "target": link.target} for link in i.links],
            "list of tables with kind (blocks, blocked_by, relates, pull_request ...) and target",
        ),
        "issue.checklist": Variable(
            cel.Type.List(cel.Type.Map(_TEXT, cel.Type.DYN)),
            lambda i, c: [{"text": item.text, "is_ticked": item.is_ticked} for item in i.checklist],
            "list of tables with text and is_ticked",
        ),
        "issue.comments": Variable(_WHOLE, _people_comments, "whole number: comments by people"),
        "issue.has_due_on": Variable(_FLAG, lambda i, c: i.due_on is not None, "true or false"),
        "issue.due_on": Variable(_TIME, lambda i, c: _at(i.due_on), "time, midnight UTC, where there is one"),
        "issue.has_review_on": Variable(_FLAG, lambda i, c: i.review_on is not None, "true or false"),
        "issue.review_on": Variable(_TIME, lambda i, c: _at(i.review_on), "time, midnight UTC, where there is one"),
        "issue.created_at": Variable(_TIME, lambda i, c: i.created_at, "time"),
        "issue.updated_at": Variable(_TIME, lambda i, c: i.updated_at, "time"),
        "issue.fields": Variable(
            cel.Type.Map(_TEXT, cel.Type.DYN),
            lambda i, c: {name: _plain(value) for name, value in i.fields.items() if value is not None},
            "table of mapped fields: has(issue.fields.outcome), issue.fields.outcome; dates are text",
        ),
        "now": Variable(_TIME, lambda i, c: c.plain_now(), "time of the check"),
    }
)


@cache
def _environment() -> Any:
    folded = cel.Overload(
        id="folded_string", return_type=_TEXT, parameters=[_TEXT], is_member=True, impl=lambda text: text.casefold()
    )
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(_CONFIG),
        variables={name: variable.type for name, variable in VARIABLES.items()},
        functions=[cel.FunctionDecl("folded", [folded])],
    )


class Expression:
    """A compiled expression that is true or false of an issue."""

    def __init__(self, text: str, place: Place) -> None:
        """ConfigurationError with the place and the remedy when the text is no such expression."""
        self.text = text
        _bound(text, place)
        try:
            self._program = _environment().compile(text)
        except RuntimeError as error:
            raise ConfigurationError(_explained(str(error), text, place)) from None
        kind = self._program.return_type()
        if kind not in (cel.Type.BOOL, cel.Type.DYN):
            raise ConfigurationError(
                f"{place.at(1, 1)}: the expression gives {_in_words(kind)}; write one that is true or false, "
                "such as a comparison"
            )
        self._names = tuple(name for name in VARIABLES if _uses(name, text))

    def holds(self, issue: Issue, context: Context) -> bool:
        """Whether it is true of the issue; CannotSayError when it gives no answer."""
        values = {name: VARIABLES[name].read(issue, context) for name in self._names}
        withheld = {name: why for name, value in values.items() if (why := _withheld(name, value))}
        try:
            found = self._program.eval(data={name: value for name, value in values.items() if name not in withheld})
        except (RuntimeError, ValueError, TypeError, OverflowError) as error:
            raise CannotSayError(_shortened(str(error))) from None
        answer = found.value()
        if isinstance(answer, bool):
            return answer
        raise _no_answer(str(answer), values, withheld)


def _no_answer(said: str, values: Mapping[str, Any], withheld: Mapping[str, str]) -> CannotSayError:
    missing = re.search(r'Key not found in map : "(?P<name>[^"]*)"', said)
    if missing is not None:
        name = missing["name"]
        return CannotSayError(f"the field {name} is not set: has(issue.fields.{name}) asks for it", is_missing=True)
    unbound = re.search(r'No value with name "(?P<name>[^"]*)"', said)
    if unbound is not None and unbound["name"] in withheld:
        return CannotSayError(withheld[unbound["name"]], is_missing=values[unbound["name"]] is None)
    if "null_type" in said:
        unset = [name for name, value in values.items() if value is None]
        return CannotSayError(f"{' or '.join(unset) or 'a value'} is not set", is_missing=True)
    return CannotSayError(_shortened(said))


def _shortened(said: str) -> str:
    if "Iteration budget" in said:
        return "its loops take more than 10,000 turns"
    return f"the expression has no answer: {re.sub(r'^[A-Z_]+: ', '', said)[:120]}"


def _withheld(name: str, value: Any) -> str | None:
    """Why the expression does not get to see the value: it is not there, or too large to look at in a bounded time."""
    if value is None and VARIABLES[name].type != _MAYBE:
        return f"{name} is not set"
    if isinstance(value, (list, dict)) and len(value) > MAX_ENTRIES:
        return f"{name} has more than {MAX_ENTRIES:,} entries"
    if isinstance(value, (str, list, dict)) and _characters(value) > MAX_TEXT:
        return f"{name} has more than {MAX_TEXT:,} characters"
    return None


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(len(name) + _characters(each) for name, each in value.items())
    return sum(map(_characters, value)) if isinstance(value, list) else 1


# -- what is refused before it is compiled ---------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""//[^\n]*|[rRbB]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
        |[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*|\d[\w.]*|\s+|.""",
    re.VERBOSE | re.DOTALL,
)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Names with their dots, brackets, literals; no spaces and no comments."""
    for token in _TOKEN.finditer(text):
        if not token.group().isspace() and not token.group().startswith("//"):
            yield token


def _uses(name: str, text: str) -> bool:
    names = ("".join(token.group().split()) for token in _tokens(text))
    return any(each == name or each.startswith(f"{name}.") for each in names)


def _bound(text: str, place: Place) -> None:
    if len(text) > MAX_EXPRESSION:
        raise ConfigurationError(
            f"{place.at(1, 1)}: the expression has {len(text):,} characters, at most {MAX_EXPRESSION:,} are allowed: "
            "split it into several rules"
        )
    loops = 0
    inside: list[bool] = []  # for each open bracket: whether it is a loop's
    before = ""
    tokens = list(_tokens(text))
    for number, token in enumerate(tokens):
        word = "".join(token.group().split())
        if word in "([{":
            is_loop = word == "(" and before.rpartition(".")[2] in _LOOPS
            loops += is_loop
            inside.append(is_loop)
            if sum(inside) > MAX_NESTED_LOOPS or loops > MAX_LOOPS:
                raise ConfigurationError(
                    f"{place.at(*_position(text, token.start()))}: at most {MAX_NESTED_LOOPS} loops may stand inside "
                    f"one another and {MAX_LOOPS} in one expression: split it into several rules"
                )
        elif word in ")]}" and inside:
            inside.pop()
        elif word.rpartition(".")[2] == "matches":
            _bound_pattern(tokens, number, text, place, loops=sum(inside))
        before = word


def _bound_pattern(tokens: list[re.Match[str]], number: int, text: str, place: Place, *, loops: int) -> None:
    """A pattern is read once, at load. In a loop it looks at what the loop goes through, so that no text is searched
    more than once for each pattern that somebody wrote."""
    name = "".join(tokens[number].group().split())
    where = place.at(*_position(text, tokens[number].start()))
    receiver = name.rpartition(".")[0]
    if loops > 1 or (loops and (not receiver or receiver.startswith("issue."))):
        raise ConfigurationError(
            f"{where}: {name} would search the same text in every turn of a loop: use contains, or one pattern with |"
        )
    following = [token.group() for token in tokens[number + 1 : number + 4]]
    if len(following) < 3 or following[0] != "(" or following[2] != ")" or following[1][-1:] not in "'\"":
        raise ConfigurationError(f"{where}: matches takes one pattern in quotes, written out")
    found = _environment().compile(f"''.matches({following[1]})").eval(data={}).value()
    if not isinstance(found, bool):
        raise ConfigurationError(f"{where}: {re.sub(r'^[A-Z_]+: ', '', str(found))}")


def _position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


# -- errors ----------------------------------------------------------------------------------------------------------

_PROBLEM = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?P<what>[^\n]*)")
_UNDECLARED = re.compile(r"undeclared reference to '(?P<name>[^']*)'(?: \(in container ''\))?")
_SYMBOLS = {"_==_": "==", "_!=_": "!=", "_&&_": "&&", "_||_": "||", "!_": "!", "@in": "in", "-_": "-"}


def _explained(said: str, text: str, place: Place) -> str:
    """Each problem of the compiler with its place in the file."""
    problems = [(int(each["line"]), int(each["column"]), each["what"]) for each in _PROBLEM.finditer(said)]
    unknown = [each for each in problems if (name := _UNDECLARED.match(each[2])) and name["name"] in _REMEDY]
    if not problems:
        return f"{place.at(1, 1)}: {said.splitlines()[0] if said else 'it is no CEL expression'}"
    lines = []
    for line, column, what in (unknown or problems)[:3]:
        column = _start_of_name(text, line, column)
        lines.append(f"{place.at(line, column)}: {_said(what)}\n{_pointed(text, line, column)}")
    return "\n".join(lines)


def _start_of_name(text: str, line: int, column: int) -> int:
    """The compiler points at the dot of `issue.titel`; a person looks at the start."""
    lines = text.splitlines() or [""]
    shown = lines[min(line, len(lines)) - 1]
    if shown[column - 1 : column] != ".":
        return column
    name = re.search(r"[\w.]+\s*$", shown[: column - 1])
    return name.start() + 1 if name else column


def _said(what: str) -> str:
    unknown = _UNDECLARED.match(what)
    if unknown is not None:
        name = unknown["name"]
        if name in _REMEDY:
            return _REMEDY[name]
        near = difflib.get_close_matches(name, VARIABLES, n=1) or difflib.get_close_matches(f"issue.{name}", VARIABLES)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(VARIABLES)}"
        return f"nothing is called {name}; {hint}"
    if what.startswith("found no matching overload"):
        name, _, given = what.partition("applied to ")
        operator = re.search(r"for '([^']*)'", name)
        symbol = operator[1] if operator else "it"
        return f"{_SYMBOLS.get(symbol, symbol.strip('_'))} does not go with {given.strip(chr(39))}"
    return what.split(" expecting {")[0]


def _pointed(text: str, line: int, column: int) -> str:
    lines = text.splitlines() or [""]
    shown = lines[min(line, len(lines)) - 1]
    return f"    {shown}\n    {' ' * (column - 1)}^"


def _in_words(kind: Any) -> str:
    names = {"INT": "a whole number", "DOUBLE": "a number", "STRING": "a text", "TIMESTAMP": "a time", "LIST": "a list"}
    name = str(kind.name())
    return names.get(name, name.lower())
