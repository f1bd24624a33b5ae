"""Resolvers receive a `FieldContext` from both executors; queries are declared once."""

import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, get_origin

import pytest
import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter

from graphql_api.compiler.arguments import Arguments
from graphql_api.compiler.mutations import MutationStep
from graphql_api.context import FieldContext
from graphql_api.resolvers.reads import resolver_of
from graphql_api.resolvers.user_errors import RefusalAsData
from graphql_api.root import schema
from graphql_api.schema import object_fields
from graphql_api.schema.fields import resolver
from graphql_api.schema.resolves_to import (
    AnyNode,
    Change,
    Connection,
    Expression,
    Many,
    OfPage,
    One,
    OpaqueId,
    Pages,
    Reference,
    meaning_of,
)
from graphql_api.schema.task import TaskConnection

CORE = schema._schema
MUTATIONS = CORE.mutation_type.fields if CORE.mutation_type is not None else {}
QUERIES = CORE.query_type.fields if CORE.query_type is not None else {}
OF_SETTINGS = {"signInOptions"}
"""Queries of settings of the server. They read no rows, and are not compiled."""


def fields() -> Iterator[tuple[str, GraphQLField]]:
    """Every field of the schema that has a resolver of its own, by `Type.field`."""
    for kind in CORE.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                if (definition := definition_of(field)) is not None and definition.base_resolver is not None:
                    yield f"{kind.name}.{name}", field


def definition_of(field: GraphQLField) -> Any:
    """What Strawberry knows of a field."""
    return field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)


def own(function: Any) -> inspect.Signature:
    """The signature of a resolver as it is written."""
    return inspect.signature(inspect.unwrap(function))


FIELDS = dict(fields())
NESTED = (OpaqueId, Expression, Reference, Pages, OfPage)


class TestContext:
    @pytest.mark.parametrize("name", FIELDS)
    def test_no_resolver_takes_strawberrys_info(self, name: str):
        """Strawberry passes its `Info` to an adapter."""
        parameters = own(definition_of(FIELDS[name]).base_resolver.wrapped_func).parameters.values()
        kinds = [get_origin(each.annotation) or each.annotation for each in parameters]

        assert strawberry.Info not in kinds
        assert all(each.annotation is FieldContext for each in parameters if each.name == "field")

    def test_there_are_resolvers(self):
        """Otherwise the test above would prove nothing."""
        assert {"Query.task", "Mutation.login", "Subscription.taskChanged", "Task.owner", "User.email"} <= set(FIELDS)

    async def test_both_executors_pass_the_same_context(self):
        """The context, the key in the response, and the extensions of the request."""
        seen: list[FieldContext] = []

        async def resolve(self: Any, field: FieldContext) -> None:
            seen.append(field)

        context: Any = SimpleNamespace()
        info = SimpleNamespace(context=context, path=SimpleNamespace(key="alias"), input_extensions={"a": 1})
        await resolver(resolve)(None, info)
        step = MutationStep("alias", (), resolve, None, RefusalAsData(), Arguments({}, ()), (), lambda *_: None)
        await step.run(context, None, {}, {}, {"a": 1})

        assert seen == [FieldContext(context, "alias", {"a": 1})] * 2

    @pytest.mark.parametrize("name", MUTATIONS)
    def test_a_mutation_is_one_function_for_both_executors(self, name: str):
        """The compiled executor calls the function of the general executor's resolver."""
        meaning = meaning_of(MUTATIONS[name])
        assert isinstance(meaning, Change)
        assert inspect.unwrap(definition_of(MUTATIONS[name]).base_resolver.wrapped_func) is meaning.resolve


class TestDeclarations:
    @pytest.mark.parametrize("name", [name for name in QUERIES if name not in OF_SETTINGS])
    def test_a_query_is_declared_once(self, name: str):
        """Its resolver is the one that is derived from what it resolves to, with the same arguments and type."""
        meaning = meaning_of(QUERIES[name])
        assert isinstance(meaning, One | Many | Connection | AnyNode)
        written, derived = own(definition_of(QUERIES[name]).base_resolver.wrapped_func), resolver_of(meaning)

        assert str(written) == str(inspect.signature(derived))

    @pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if isinstance(meaning_of(field), NESTED)])
    def test_a_field_of_an_object_is_declared_once(self, name: str):
        """Its resolver is derived from what it resolves to."""
        function = inspect.unwrap(definition_of(FIELDS[name]).base_resolver.wrapped_func)

        assert function.__module__ == object_fields.__name__

    def test_the_arguments_are_those_of_the_read(self):
        """A parameter of the function that makes the query is an argument of the field, with its default."""

        def ask(actor: Any, parts: Any, first: int = 7, *, last: str | None = None) -> Any:
            """What is read."""

        signature = inspect.signature(resolver(resolver_of(Connection(TaskConnection, ask))))

        assert [*signature.parameters] == ["self", "info", "first", "last"]
        assert [each.default for each in signature.parameters.values()][2:] == [7, None]
