"""Our short GitHub schema and every query of the connector, held against GitHub's official schema."""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    extend_schema,
    parse,
    validate,
)

from backlint.connectors.github import queries
from backlint.connectors.github.queries import Schema
from backlint.connectors.sandbox import github as sandbox

TRACKERS = Path(__file__).parents[3] / "shared" / "trackers"
pytestmark = pytest.mark.skipif(
    not (TRACKERS / "github-schema.graphql").exists(),
    reason="../shared/trackers with GitHub's official schema is missing",
)


@cache
def published() -> GraphQLSchema:
    """As published in early 2025; two fields stand in it twice, so it is taken as it is."""
    text = (TRACKERS / "github-schema.graphql").read_text(encoding="utf-8")
    return build_schema(text, assume_valid=True, assume_valid_sdl=True)


@cache
def present() -> GraphQLSchema:
    """With the fields that came since."""
    additions = (TRACKERS / "github-schema-additions.graphql").read_text(encoding="utf-8")
    return extend_schema(published(), parse(additions), assume_valid=True, assume_valid_sdl=True)


@cache
def ours() -> GraphQLSchema:
    return build_schema(Path(inspect.getfile(sandbox)).with_name("github.graphql").read_text(encoding="utf-8"))


def own_types() -> list[str]:
    return [name for name in ours().type_map if not name.startswith("__")]


@pytest.mark.parametrize("name", own_types())
def test_every_type_of_the_sandbox_is_github_s(name: str) -> None:
    mine, theirs = ours().type_map[name], present().type_map.get(name)
    assert theirs is not None
    assert type(mine).__name__ == type(theirs).__name__

    if isinstance(mine, GraphQLUnionType):
        assert isinstance(theirs, GraphQLUnionType)
        assert {each.name for each in mine.types} <= {each.name for each in theirs.types}
    if isinstance(mine, GraphQLEnumType):
        assert isinstance(theirs, GraphQLEnumType)
        assert set(mine.values) <= set(theirs.values)
    if isinstance(mine, (GraphQLObjectType, GraphQLInterfaceType)):
        assert isinstance(theirs, (GraphQLObjectType, GraphQLInterfaceType))
        assert {each.name for each in mine.interfaces} <= {each.name for each in theirs.interfaces}


@pytest.mark.parametrize("name", own_types())
def test_every_field_and_argument_of_the_sandbox_has_github_s_type(name: str) -> None:
    mine, theirs = ours().type_map[name], present().type_map[name]
    if not isinstance(mine, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
        return
    assert isinstance(theirs, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType))

    for field_name, field in mine.fields.items():
        assert field_name in theirs.fields, f"{name}.{field_name}"
        official = theirs.fields[field_name]
        assert str(field.type) == str(official.type), f"{name}.{field_name}"
        for argument, value in getattr(field, "args", {}).items():
            assert str(value.type) == str(official.args[argument].type), f"{name}.{field_name}({argument})"  # type: ignore[union-attr]


def as_told_by(schema: GraphQLSchema) -> Schema:
    """What the connector learns of a server with this schema."""

    def fields(name: str) -> frozenset[str]:
        type_ = schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        return frozenset(type_.fields)

    issue, events = schema.type_map["Issue"], schema.type_map["IssueTimelineItemsItemType"]
    assert isinstance(issue, GraphQLObjectType)
    assert isinstance(events, GraphQLEnumType)
    return Schema(
        issue=fields("Issue"),
        comment=fields("IssueComment"),
        repository=fields("Repository"),
        events=frozenset(events.values),
        state_reason_arguments=frozenset(issue.fields["stateReason"].args),
    )


def documents(schema: Schema) -> dict[str, str]:
    """Every document that the connector sends to a server with this schema."""
    found = {
        "schema": queries.SCHEMA,
        "changed": queries.CHANGED,
        "boards of repository": queries.BOARDS_OF_REPOSITORY,
        "board items": queries.BOARD_ITEMS,
        "board changes": queries.BOARD_CHANGES,
        "people": queries.PEOPLE,
        "details": queries.details(schema, has_boards=False),
        "details with boards": queries.details(schema, has_boards=True),
        "one issue": queries.one_issue(schema, has_boards=False),
        "one issue with boards": queries.one_issue(schema, has_boards=True),
        "more comments": queries.more_comments(schema),
        "more events": queries.more_events(schema),
        "counts of changes": queries.counts(3),
        "census": queries.census(schema),
    }
    if schema.has_types:
        found["types"] = queries.TYPES
    if schema.board_events:
        found["more board events"] = queries.more_board_events(schema)
    return found


@pytest.mark.parametrize("age", ["published", "present", "ours"])
def test_every_query_is_valid_for_the_server_it_is_made_for(age: str) -> None:
    schema = {"published": published, "present": present, "ours": ours}[age]()

    for name, text in documents(as_told_by(schema)).items():
        errors = validate(schema, parse(text))
        assert errors == [], f"{name}: {errors[0].message if errors else ''}"


def test_a_query_for_a_present_server_would_fail_on_an_older_one() -> None:
    """The reason for asking the server what it has: one unknown field and the whole query is refused."""
    assert validate(published(), parse(queries.details(as_told_by(present()), has_boards=True))) != []
    assert validate(published(), parse(queries.one_issue(as_told_by(present()), has_boards=True))) != []


def test_the_present_server_is_asked_for_everything_we_know() -> None:
    schema = as_told_by(present())

    assert set(queries.EVENTS) | set(queries.BOARD_EVENTS) <= schema.events
    assert set(queries.OPTIONAL_FIELDS) <= schema.issue
