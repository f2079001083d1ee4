"""Executes real GraphQL over a schema file and plain functions: the part that the Linear and GitHub sandboxes share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSyntaxError,
    build_schema,
    execute_sync,
    parse,
    validate,
)

Resolver = Callable[..., Any]  # (value, info, **arguments)


@dataclass(frozen=True, slots=True)
class Operation:
    """One request body."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None


def operation(body: bytes) -> Operation:
    """ValueError when the body is no GraphQL request."""
    asked = json.loads(body)
    if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
        raise ValueError("the body needs a query")
    return Operation(asked["query"], asked.get("variables") or {}, asked.get("operationName"))


class GraphqlSchemaServer:
    """A schema with resolvers. Fields without a resolver are looked up in the dict that their parent returned.

    Unions and interfaces are told apart by `__typename` in those dicts.
    """

    def __init__(self, schema_file: Path, resolvers: Mapping[str, Mapping[str, Resolver]]) -> None:
        self.schema: GraphQLSchema = build_schema(schema_file.read_text(encoding="utf-8"))
        for type_name, fields in resolvers.items():
            owner = self.schema.type_map[type_name]
            assert isinstance(owner, GraphQLObjectType)
            for name, resolver in fields.items():
                owner.fields[name].resolve = resolver
        self.prepare = lru_cache(maxsize=256)(self._prepare)

    def _prepare(self, query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
        try:
            document = parse(query)
        except GraphQLSyntaxError as error:
            return None, (error,)
        return document, tuple(validate(self.schema, document))

    def run(self, document: DocumentNode, asked: Operation, *, context: Any = None) -> ExecutionResult:
        return execute_sync(
            self.schema,
            document,
            context_value=context,
            variable_values=dict(asked.variables),
            operation_name=asked.name,
            field_resolver=_from_dict,
        )


def _from_dict(value: Any, info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
    """The parent's entry of that name; a callable entry is asked only when the field is asked for."""
    found = value.get(info.field_name) if value is not None else None
    return found() if callable(found) else found
