"""The project boards of a repository: what their Status options, fields and iterations are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from backlint.connectors.github import queries, statuses
from backlint.connectors.github.client import Client
from backlint.connectors.github.mapping import iteration
from backlint.connectors.github.pulling import Home
from backlint.errors import PermissionMissing, RequestRefused
from backlint.model import Sprint
from backlint.status import StatusFact


class _Camel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Option(_Camel, frozen=True, kw_only=True):
    name: str


class Iteration(_Camel, frozen=True, kw_only=True):
    id: str
    title: str
    start_date: date
    duration: int


class Iterations(_Camel, frozen=True, kw_only=True):
    iterations: tuple[Iteration, ...] = ()
    completed_iterations: tuple[Iteration, ...] = ()


class BoardField(_Camel, frozen=True, kw_only=True):
    name: str = ""
    data_type: str = ""
    options: tuple[Option, ...] = ()
    configuration: Iterations | None = None


class _Fields(_Camel, frozen=True, kw_only=True):
    nodes: tuple[BoardField | None, ...] = ()


class BoardFacts(_Camel, frozen=True, kw_only=True):
    id: str
    number: int
    title: str
    updated_at: str
    fields: _Fields = _Fields()

    @property
    def options(self) -> tuple[str, ...]:
        """The options of the field named Status: the only one that GitHub keeps a history of."""
        fields = (field for field in self.fields.nodes if field and field.name == "Status")
        return tuple(option.name for field in fields for option in field.options)


class _StatusField(_Camel, frozen=True, kw_only=True):
    options: tuple[Option, ...] = ()


class OtherBoard(_Camel, frozen=True, kw_only=True):
    """A board of the owner: an issue may be on it though it is not linked to the repository."""

    number: int
    field: _StatusField | None = None


class _Boards(_Camel, frozen=True, kw_only=True):
    nodes: tuple[BoardFacts | None, ...] = ()


class _OtherBoards(_Camel, frozen=True, kw_only=True):
    nodes: tuple[OtherBoard | None, ...] = ()


class _Owner(_Camel, frozen=True, kw_only=True):
    projects_v2: _OtherBoards = msgspec.field(name="projectsV2", default_factory=_OtherBoards)


class _Repository(_Camel, frozen=True, kw_only=True):
    owner: _Owner = _Owner()
    projects_v2: _Boards = msgspec.field(name="projectsV2", default_factory=_Boards)


class _Data(_Camel, frozen=True, kw_only=True):
    repository: _Repository | None = None


class _Names(_Camel, frozen=True, kw_only=True):
    nodes: tuple[Option | None, ...] = ()


class _TypesRepository(_Camel, frozen=True, kw_only=True):
    issue_types: _Names | None = None


class _TypesData(_Camel, frozen=True, kw_only=True):
    repository: _TypesRepository | None = None


@dataclass(frozen=True, slots=True)
class Boards:
    """The boards linked to a repository. `are_visible`: its issues may be on some board that the token can see."""

    boards: tuple[BoardFacts, ...] = ()
    others: tuple[OtherBoard, ...] = ()
    are_visible: bool = False
    hidden_because: str | None = None


class BoardBook:
    """Asks for the boards of a repository once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, Boards] = {}

    def of(self, home: Home) -> Boards:
        """Without the permission there are none, which `diagnose` reports."""
        if home.full_name not in self._known:
            self._known[home.full_name] = self._asked(home)
        return self._known[home.full_name]

    def hide(self, home: Home, because: str) -> None:
        """Go on without boards: the token turned out not to see them."""
        self._known[home.full_name] = Boards(hidden_because=because)

    def _asked(self, home: Home) -> Boards:
        if not self._client.schema().has_boards:
            return Boards(hidden_because="this server has no project boards that can be read")
        try:
            answered = self._client.data(queries.BOARDS_OF_REPOSITORY, _Data, home.variables, what="project boards")
        except (PermissionMissing, RequestRefused) as error:
            return Boards(hidden_because=str(error))
        repository = answered.repository
        if repository is None:
            return Boards(hidden_because=f"{home.full_name} is gone or hidden")
        found = tuple(board for board in repository.projects_v2.nodes if board)
        others = tuple(board for board in repository.owner.projects_v2.nodes if board)
        return Boards(found, others, are_visible=bool(found or others))


def facts(found: Iterable[Boards]) -> tuple[StatusFact, ...]:
    """Open, closed and every board's options, with what their names suggest."""
    options = {
        fact.id: fact
        for boards in found
        for board in boards.boards
        for fact in (statuses.option_fact(board.number, name) for name in board.options)
    }
    return (*statuses.own_facts(), *options.values())


def every_fact(found: Sequence[Boards]) -> tuple[StatusFact, ...]:
    """Those of the owner's other boards as well: what the histories of issues may name."""
    known = {fact.id: fact for fact in facts(found)}
    for boards in found:
        for board in boards.others:
            for option in board.field.options if board.field else ():
                fact = statuses.option_fact(board.number, option.name)
                known.setdefault(fact.id, fact)
    return tuple(known.values())


def fields(found: Iterable[Boards]) -> tuple[tuple[str, str], ...]:
    """Board fields that could be mapped; a value is found by the field's name."""
    names = {
        field.name: f"{field.name} ({field.data_type.lower().replace('_', ' ')})"
        for boards in found
        for board in boards.boards
        for field in board.fields.nodes
        if field and field.name
    }
    return tuple(names.items())


def sprints(found: Iterable[Boards], now: datetime) -> tuple[Sprint, ...]:
    return tuple(
        {
            each.id: iteration(each.id, each.title, each.start_date, each.duration, now=now)
            for boards in found
            for board in boards.boards
            for each in _iterations(board)
        }.values()
    )


def types_of(client: Client, home: Home) -> tuple[str, ...]:
    """The issue types of the repository; user-owned ones and old servers have none."""
    if not client.schema().has_types:
        return ()
    answered = client.data(queries.TYPES, _TypesData, home.variables, what=home.scope)
    types = answered.repository.issue_types if answered.repository else None
    return tuple(each.name for each in (types.nodes if types else ()) if each)


def _iterations(board: BoardFacts) -> Iterator[Iteration]:
    for field in board.fields.nodes:
        if field and field.configuration:
            yield from field.configuration.completed_iterations
            yield from field.configuration.iterations
