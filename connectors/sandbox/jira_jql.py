"""The part of JQL that the Jira sandbox answers, with Jira's refusals for the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# The profile of the token's account. Quoted times in JQL are read in its zone: most connectors trip here.
ACCOUNT_ZONE = ZoneInfo("America/Los_Angeles")
MOST_ORDERS = 7

_TOKEN = re.compile(r"""\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(>=|<=|!=|[=<>(),])|([^\s=<>!(),"']+))""")
_PERIOD = re.compile(r"-(\d+)([mhdw])")
_FIELDS = {"project", "updated", "updateddate", "created", "createddate", "id", "issue", "key", "issuekey"}
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DATES = "Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format"


class JqlError(Exception):
    """What Jira puts into `errorMessages`."""


@dataclass(frozen=True, slots=True)
class Clause:
    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    clauses: tuple[Clause, ...]
    order: tuple[tuple[str, bool], ...]  # field, descending

    @property
    def is_bounded(self) -> bool:
        return bool(self.clauses)


def parse(jql: str) -> Query:
    """A conjunction of comparisons with an order; JqlError for anything else."""
    where, order = _split_order(_tokens(jql))
    clauses: list[Clause] = []
    while where:
        clauses.append(_clause(where))
        if where and where.pop(0).casefold() != "and":
            raise JqlError("Error in the JQL Query: Expecting operator 'AND' or the end of the query.")
    if len(order) > MOST_ORDERS:
        raise JqlError(f"JQL can be ordered by at most {MOST_ORDERS} fields.")
    return Query(tuple(clauses), tuple(order))


def moment(value: str, now: datetime) -> datetime:
    """A date value of JQL: milliseconds since 1970, a period, or a time in the account's zone to the minute."""
    period = _PERIOD.fullmatch(value)
    if period:
        return now - timedelta(**{_UNITS[period[2]]: int(period[1])})
    if value.isdigit():
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    for pattern in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
        try:
            return datetime.strptime(value, pattern).replace(tzinfo=ACCOUNT_ZONE)
        except ValueError:
            continue
    raise JqlError(f"Date value '{value}' for field 'updated' is invalid. {DATES}.")


def compare(operator: str) -> Callable[[datetime, datetime], bool]:
    comparisons: dict[str, Callable[[datetime, datetime], bool]] = {
        ">=": lambda a, b: a >= b,
        ">": lambda a, b: a > b,
        "<=": lambda a, b: a <= b,
        "<": lambda a, b: a < b,
    }
    if operator not in comparisons:
        raise JqlError(f"The operator '{operator}' is not supported by the 'updated' field.")
    return comparisons[operator]


def _tokens(jql: str) -> list[str]:
    found: list[str] = []
    at = 0
    text = jql.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise JqlError(f"Error in the JQL Query: The character '{text[at]}' is a reserved JQL character.")
        found.append(match[1] or match[2] or match[3])
        at = match.end()
    return found


def _split_order(tokens: list[str]) -> tuple[list[str], list[tuple[str, bool]]]:
    words = [token.casefold() for token in tokens]
    starts = next((i for i in range(len(words) - 1) if words[i : i + 2] == ["order", "by"]), None)
    if starts is None:
        return tokens, []
    terms = " ".join(tokens[starts + 2 :]).split(",")
    order = [(term.split()[0].casefold(), term.split()[-1].casefold() == "desc") for term in terms if term.split()]
    return tokens[:starts], order


def _clause(tokens: list[str]) -> Clause:
    field = _bare(tokens.pop(0))
    if field.casefold() not in _FIELDS:
        raise JqlError(f"Field '{field}' does not exist or you do not have permission to view it.")
    operator = tokens.pop(0).casefold() if tokens else ""
    if operator == "in":
        return Clause(field.casefold(), "in", _list(tokens))
    if operator not in ("=", ">=", "<=", ">", "<") or not tokens:
        raise JqlError(f"Error in the JQL Query: Expecting operator but got '{operator}'.")
    return Clause(field.casefold(), operator, (_bare(tokens.pop(0)),))


def _list(tokens: list[str]) -> tuple[str, ...]:
    if not tokens or tokens.pop(0) != "(":
        raise JqlError("Error in the JQL Query: Expecting '(' before a list of values.")
    values: list[str] = []
    while tokens:
        part = tokens.pop(0)
        if part == ")":
            return tuple(values)
        if part != ",":
            values.append(_bare(part))
    raise JqlError("Error in the JQL Query: Expecting ')' before the end of the query.")


def _bare(token: str) -> str:
    if token[:1] in ("'", '"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    return token
