"""What a query costs by Linear's documented rule: a leaf 0.1, an object 1, a connection its children times `first`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

DEFAULT_FIRST = 50
LEAF, OBJECT = 0.1, 1.0


class _Count:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.schema, self.variables = schema, variables
        self.fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }

    def selection(self, chosen: SelectionSetNode, owner: GraphQLObjectType) -> float:
        return sum(self._part(part, owner) for part in chosen.selections)

    def _part(self, part: Any, owner: GraphQLObjectType) -> float:
        if isinstance(part, FragmentSpreadNode):
            return self.selection(self.fragments[part.name.value].selection_set, owner)
        if isinstance(part, InlineFragmentNode):
            return self.selection(part.selection_set, owner)
        assert isinstance(part, FieldNode)
        if part.selection_set is None:
            return LEAF
        kind = get_named_type(owner.fields[part.name.value].type)
        assert isinstance(kind, GraphQLObjectType)
        within = self.selection(part.selection_set, kind)
        # The connection object itself costs nothing; whether pageInfo is multiplied is not published: assume the worst.
        return self._first(part) * within if kind.name.endswith("Connection") else OBJECT + within

    def _first(self, part: FieldNode) -> int:
        for argument in part.arguments or ():
            if argument.name.value in ("first", "last"):
                given = argument.value
                if isinstance(given, VariableNode):
                    found = self.variables.get(given.name.value)
                    return int(found) if found is not None else DEFAULT_FIRST
                if isinstance(given, IntValueNode):
                    return int(given.value)
        return DEFAULT_FIRST


def complexity(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """Points of the whole document, rounded up."""
    count = _Count(schema, document, variables)
    roots = {"query": schema.query_type, "mutation": schema.mutation_type}
    total = 0.0
    for part in document.definitions:
        if isinstance(part, OperationDefinitionNode):
            root = roots[part.operation.value]
            assert root is not None
            total += count.selection(part.selection_set, root)
    return math.ceil(round(total, 6))
