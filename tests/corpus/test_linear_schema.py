"""Our short Linear schema and every query of ours against the official schema, where that is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    parse,
    validate,
)

from backlint.connectors.linear import queries
from backlint.connectors.sandbox import linear as sandbox

OFFICIAL = Path(__file__).parents[3] / "shared" / "trackers" / "linear-schema.graphql"
pytestmark = pytest.mark.skipif(not OFFICIAL.is_file(), reason="needs ../shared/trackers/linear-schema.graphql")


@pytest.fixture(scope="module")
def official() -> GraphQLSchema:
    return build_schema(OFFICIAL.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return build_schema(Path(sandbox.__file__).with_name("linear.graphql").read_text(encoding="utf-8"))


def differences(ours: GraphQLSchema, official: GraphQLSchema) -> list[str]:
    """Everything of ours that the official schema lacks or types otherwise."""
    found = []
    for name, kind in ours.type_map.items():
        theirs = official.type_map.get(name)
        if theirs is None or type(theirs) is not type(kind):
            found.append(f"{name} is no {type(kind).__name__} there")
        elif isinstance(kind, GraphQLEnumType) and isinstance(theirs, GraphQLEnumType):
            found += [f"{name}.{value}" for value in kind.values if value not in theirs.values]
        elif isinstance(kind, (GraphQLObjectType, GraphQLInputObjectType)):
            found += field_differences(name, kind, theirs)
        else:
            assert isinstance(kind, GraphQLScalarType)
    return found


def field_differences(name: str, kind: object, theirs: object) -> list[str]:
    found = []
    for field_name, field in kind.fields.items():  # type: ignore[attr-defined]
        known = theirs.fields.get(field_name)  # type: ignore[attr-defined]
        if known is None or str(known.type) != str(field.type):
            found.append(f"{name}.{field_name}: {field.type}, there {known and known.type}")
            continue
        for argument, value in getattr(field, "args", {}).items():
            there = known.args.get(argument)
            if there is None or str(there.type) != str(value.type):
                found.append(f"{name}.{field_name}({argument}: {value.type}), there {there and there.type}")
    return found


def test_our_schema_is_a_part_of_the_official_one(ours: GraphQLSchema, official: GraphQLSchema) -> None:
    assert [text for text in differences(ours, official) if not text.startswith("__")] == []


def documents() -> dict[str, str]:
    plain = {name: text for name, text in vars(queries).items() if isinstance(text, str) and name.isupper()}
    plain = {name: text for name, text in plain.items() if not name.startswith("_") and "{" in text}
    built = {f"more_of {name}": queries.more_of(name) for name in queries.LISTS}
    return {
        **plain,
        **built,
        "lists": queries.lists(list(queries.LISTS)),
        "rest": queries.rest([*queries.INLINE, "stateHistory"]),
    }


@pytest.mark.parametrize("name", list(documents()))
def test_every_query_is_valid_in_both_schemas(ours: GraphQLSchema, official: GraphQLSchema, name: str) -> None:
    document = parse(documents()[name])

    assert validate(official, document) == []
    assert validate(ours, document) == []


def test_the_comparison_finds_a_wrong_field(official: GraphQLSchema) -> None:
    wrong = build_schema("type Query { viewer: User! } type User { id: String! telepathy: Boolean }")

    assert [text.partition(":")[0] for text in differences(wrong, official) if not text.startswith("__")] == [
        "User.id",
        "User.telepathy",
    ]
