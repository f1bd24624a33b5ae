"""Introspection works for every query, and its cost is known before it runs."""

import random
from enum import Enum
from itertools import product
from typing import Annotated, Any

import orjson
import pytest
import strawberry
from graphql import (
    DocumentNode,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_introspection_query,
    get_named_type,
    introspection_types,
    parse,
)
from strawberry.printer import print_schema
from strawberry.schema_directive import Location

from asgi.request_context import RequestContext
from domain.errors import TooExpensive
from graphql_api.execution import introspection
from graphql_api.execution.documents import Documents, InvalidDocument
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.introspection import Introspection
from graphql_api.execution.request import OperationRequest
from graphql_api.root import schema as real
from graphql_api.schema.base import Schema
from tests.support.echo_app import EchoContext, Journal

OPTIONS = "descriptions", "specified_by_url", "directive_is_repeatable", "schema_description", "input_value_deprecation"
TOOLS = [dict(zip((*OPTIONS, "one_of"), each, strict=True)) for each in product((True, False), repeat=6)]
DEEP = get_introspection_query(one_of=True).replace(
    "fragment TypeRef on __Type {", "fragment TypeRef on __Type { ofType { ofType { ofType { kind name } } }"
)
"""Newer versions of the standard query follow more wrappers."""
MEMBERS = (
    "fragment M on __Type { possibleTypes { name description kind fields { name description isDeprecated "
    "deprecationReason args { name } type { name kind description ofType { name kind ofType { name } } } } } }"
)


@strawberry.enum
class Size(Enum):
    """An enum."""

    SMALL = "s"
    OLD = strawberry.enum_value("o", deprecation_reason="Use SMALL.")


@strawberry.interface
class Named:
    """An interface."""

    name: str


@strawberry.type
class Cat(Named):
    """An object."""

    lives: list[int]


@strawberry.type
class Dog(Named):
    """Another one."""

    @strawberry.field(deprecation_reason="Use name.")  # type: ignore[untyped-decorator]
    def call(self, loud: Annotated[bool, strawberry.argument(deprecation_reason="Never.")] = False) -> str:
        """A deprecated field with a deprecated argument."""
        return self.name


Pet = Annotated[Cat | Dog, strawberry.union("Pet")]


@strawberry.input(one_of=True)
class Choice:
    """Alternatives."""

    id: strawberry.ID | None = strawberry.UNSET
    name: str | None = strawberry.UNSET


@strawberry.input
class Wanted:
    """An input with defaults."""

    size: Size = Size.SMALL
    sizes: list[Size] | None = None
    weight: float = 1.5
    old: int | None = strawberry.field(default=None, deprecation_reason="Use size.")


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION])
class Secret:
    """A directive."""

    reason: str = "none"


@strawberry.type
class Query:
    """A schema with every feature."""

    @strawberry.field(directives=[Secret()])  # type: ignore[untyped-decorator]
    def pets(self, by: Choice, wanted: Wanted | None = None, sizes: list[Size] | None = None) -> list[Pet] | None:
        """Lists, unions, inputs."""
        return None

    @strawberry.field
    def named(self) -> Named | None:
        """An interface."""
        return None


everything = Schema(query=Query, types=[Cat, Dog])
SCHEMAS = {"everything": everything, "ours": real}


def _selection(kind: Any, depth: int) -> str:
    """Every field of an introspection type, to a depth."""
    parts = []
    for name, known in kind.fields.items():
        arguments = "(includeDeprecated: true)" if "includeDeprecated" in known.args else ""
        inner = get_named_type(known.type)
        if not hasattr(inner, "fields"):
            parts.append(name)
        elif depth:
            parts.append(f"{name}{arguments} {_selection(inner, depth - 1)}")
    return "{ __typename " + " ".join(parts) + " }"


def _random_selection(kind: Any, depth: int, chance: random.Random) -> str:
    names = chance.sample(list(kind.fields), min(len(kind.fields), chance.randint(1, 4)))
    parts = []
    for name in names:
        inner = get_named_type(kind.fields[name].type)
        alias = chance.choice(("", f"a{chance.randrange(9)}{name}: "))
        if not hasattr(inner, "fields"):
            parts.append(alias + name)
        elif depth:
            parts.append(f"{alias}{name} {_random_selection(inner, depth - 1, chance)}")
    body = " ".join(parts or ["__typename"])
    return "{ ... { " + body + " } }" if chance.random() < 0.2 else "{ " + body + " }"


def _nodes(value: Any) -> int:
    """The fields and the objects below a value."""
    if isinstance(value, list):
        return sum(map(_nodes, value))
    return 1 + sum(1 + _nodes(each) for each in value.values()) if isinstance(value, dict) else 0


def _comparable(value: Any) -> Any:
    """The answer with its lists in an order that does not depend on how the schema was made."""
    if isinstance(value, dict):
        return {key: _comparable(each) for key, each in value.items()}
    return sorted((_comparable(each) for each in value), key=repr) if isinstance(value, list) else value


def _compared(answer: Any, schema: GraphQLSchema) -> Any:
    """The answer without directives that only the SDL has, and without `@oneOf`, which the SDL describes anew."""
    known = {directive.name for directive in schema.directives} - {"oneOf"}
    return _comparable(answer | {"directives": [each for each in answer["directives"] if each["name"] in known]})


def _operation(ast: DocumentNode) -> Any:
    return ast.definitions[0]


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
class TestEveryField:
    def test_introspection_equals_graphql_core(self, schema: Schema):
        """Every field of every kind of type, also of wrapped ones."""
        query = parse("{ __schema " + _selection(introspection_types["__Schema"], 3) + " }")
        ours = execute_sync(schema._schema, query)
        plain = execute_sync(build_schema(print_schema(schema)), query)

        assert (ours.errors, plain.errors) == (None, None)
        assert ours.data is not None
        assert plain.data is not None
        expected = _compared(plain.data["__schema"], schema._schema)
        assert _compared(ours.data["__schema"], schema._schema) == expected

    def test_a_type_by_its_name(self, schema: Schema):
        """`__type` has the same result."""
        plain = build_schema(print_schema(schema))
        for name in schema._schema.type_map:
            query = parse(f'{{ __type(name: "{name}") {_selection(introspection_types["__Type"], 3)} }}')
            ours, expected = execute_sync(schema._schema, query), execute_sync(plain, query)
            assert ours.errors is None
            assert _comparable(ours.data) == _comparable(expected.data)


class TestOneOf:
    @pytest.mark.parametrize(
        ("literal", "problem"),
        [("{}", "exactly one"), ('{id: "1", name: "x"}', "exactly one"), ("{id: null}", "non-null")],
    )
    def test_one_of_inputs_are_validated_once(self, literal: str, problem: str):
        """graphql-core knows which inputs are `@oneOf`."""
        with pytest.raises(InvalidDocument) as caught:
            Documents(everything).get(f"{{ pets(by: {literal}) {{ __typename }} }}")
        assert len(caught.value.errors) == 1
        assert problem in str(caught.value.errors[0])


class TestSize:
    @pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
    def test_the_cost_is_never_less_than_the_response(self, schema: Schema):
        """It uses the real lists of the schema."""
        core, chance = schema._schema, random.Random(7)
        counter = Introspection(core)
        counter.limit = 10**9
        for _ in range(300):
            ast = parse("{ __schema " + _random_selection(introspection_types["__Schema"], 5, chance) + " }")
            answer = execute_sync(core, ast)
            assert answer.data is not None
            assert counter.check(ast, _operation(ast), {}).nodes >= _nodes(answer.data["__schema"]) + 1

    @pytest.mark.parametrize(
        "query",
        [
            "{ __schema { types { name kind } } }",
            "{ __schema { types { name inputFields { type { ofType { ofType { name } } } } } } }",
            '{ __type(name: "Query") { fields { args { type { enumValues(includeDeprecated: true) { name } } } } } }',
        ],
    )
    def test_the_cost_is_exact(self, query: str):
        """Without duplicates and deprecations it is the number of fields and objects."""
        ast = parse(query)
        answer = execute_sync(real._schema, ast)
        assert answer.data is not None
        ((_, value),) = answer.data.items()
        assert Introspection(real._schema).check(ast, _operation(ast), {}).nodes == _nodes(value) + 1

    def test_counting_is_bounded_by_the_limit(self, monkeypatch: pytest.MonkeyPatch):
        """A document of a few hundred bytes that asks for millions is given up soon."""
        calls = []
        size = introspection._Counter._size

        def counted(self: Any, *arguments: Any) -> int:
            calls.append(1)
            return size(self, *arguments)

        monkeypatch.setattr(introspection._Counter, "_size", counted)
        counter = Introspection(real._schema)
        calls.clear()
        many = " ".join(
            f"a{n}: fields {{ args {{ type {{ name }} }} type {{ ofType {{ name }} }} }}" for n in range(400)
        )
        ast = parse("{ __schema { types { " + many + " } } }")
        with pytest.raises(TooExpensive):
            counter.check(ast, _operation(ast), {})
        assert counter.limit < len(calls) < 4 * counter.limit


class TestLimit:
    @pytest.mark.parametrize("options", TOOLS, ids=lambda options: "-".join(k for k, v in options.items() if v) or "0")
    def test_queries_of_tools_are_accepted(self, options: dict[str, bool]):
        """GraphiQL, code generators and clients send the standard query with various options."""
        Documents(real).get(get_introspection_query(**options))

    def test_newer_tools_ask_deeper(self):
        """The deepest standard query passes."""
        Documents(real).get(DEEP)

    @pytest.mark.parametrize(
        ("query", "problem"),
        [
            ("{ a: __schema { queryType { name } } b: __schema { queryType { name } } }", "`__schema` only once"),
            ("{ __schema { queryType { name } } ...A } fragment A on Query { b: __schema { __typename } }", "once"),
            ("{ " + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(30)) + " }", "once"),
            (
                "{ " + " ".join(f'a{n}: __type(name: "Payload") {{ ...M }}' for n in range(30)) + " } " + MEMBERS,
                "nodes",
            ),
            (
                "{ __schema { types { "
                + " ".join(f"a{n}: fields {{ name args {{ name }} }}" for n in range(25))
                + "} } }",
                "nodes",
            ),
        ],
    )
    def test_a_too_large_query_is_refused(self, query: str, problem: str):
        """The message says what is allowed."""
        with pytest.raises(InvalidDocument) as caught:
            Documents(real).get(query)
        (error,) = caught.value.errors
        assert isinstance(error, TooExpensive)
        assert problem in error.message

    def test_equal_aliases_count_once(self):
        """They are merged in the response."""
        Documents(real).get("{ __schema { queryType { name } } __schema { mutationType { name } } }")

    def test_a_type_named_by_a_variable_is_counted_when_it_is_known(self):
        """Each name is judged by its own type."""
        documents = Documents(real)
        many = " ".join(f"a{n}: __type(name: $n) {{ ...M }}" for n in range(30))
        document = documents.get(f"query ($n: String!) {{ {many} }} {MEMBERS}")
        for _ in range(2):
            documents.check_cost(document, document.operation(None), {"n": "PageInfo"})
            documents.check_cost(document, document.operation(None), {"n": "no type"})
            with pytest.raises(TooExpensive):
                documents.check_cost(document, document.operation(None), {"n": "Payload"})


class TestCache:
    QUERY = 'query ($n: String! = "Task") { __schema { types { name } } __type(name: $n) { name } }'

    async def test_an_answer_is_executed_once(self, monkeypatch: pytest.MonkeyPatch):
        """And sent again as the same bytes, for each set of variables."""
        built = []
        build = Executor._build

        def counted(*arguments: Any) -> Any:
            built.append(1)
            return build(*arguments)

        monkeypatch.setattr(Executor, "_build", counted)
        executor: Executor[EchoContext] = Executor(real, Documents(real))
        answers = [
            await self._ask(executor, self.QUERY, variables)
            for variables in ({}, {"n": "User"}, {}, {"n": "User"}, {"n": "none"})
        ]

        assert len(built) == 3
        assert answers[0] == answers[2] != answers[1] == answers[3]
        assert orjson.loads(answers[3])["data"]["__type"] == {"name": "User"}
        assert orjson.loads(answers[4])["data"]["__type"] is None

    async def test_operations_with_other_fields_are_not_cached(self):
        """They are executed each time."""
        executor: Executor[EchoContext] = Executor(real, Documents(real))
        await self._ask(executor, "{ __schema { queryType { name } } me { id } }", {})
        await self._ask(executor, "{ __schema { queryType { name } } ...A } fragment A on Query { me { id } }", {})
        assert len(executor._introspections._responses) == 0

    @staticmethod
    async def _ask(executor: Executor[EchoContext], query: str, variables: dict[str, Any]) -> bytes:
        prepared = await executor.prepare(OperationRequest(query, None, variables, {}), request_id="r1")
        assert isinstance(prepared, Operation)
        facts = RequestContext(None, None, "r1", "http", {"headers": []})
        return (await executor.execute(prepared, EchoContext(facts, Journal()))).to_json(request_id="r1")


def test_the_operations_of_a_document_share_one_limit():
    """Their total is bounded like a single operation."""
    counted = Introspection(real._schema)
    ast = parse(" ".join(f"query Q{i} {{ __schema {{ types {{ name fields {{ name }} }} }} }}" for i in range(20)))
    operations: Any = ast.definitions
    counted.limit = counted.check(ast, operations[0], {}).nodes
    with pytest.raises(TooExpensive, match="selects more than"):
        counted.check_each(ast, operations)


def test_shared_fragments_are_measured_once():
    """Several operations with the same query cost no more than one."""
    counted = Introspection(real._schema)
    fragment = "fragment F on __Type { name fields { name args { name } } }"
    ast = parse(" ".join(f"query Q{i} {{ __schema {{ types {{ ...F }} }} }}" for i in range(5)) + fragment)
    operations: Any = ast.definitions[:-1]
    counted.limit = 2 * counted.check(ast, operations[0], {}).nodes
    assert len(counted.check_each(ast, operations)) == 5
