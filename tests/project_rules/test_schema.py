"""The schema keeps its own conventions."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_required_input_field,
    is_specified_scalar_type,
)
from strawberry.printer import print_schema
from strawberry.types.base import StrawberryObjectDefinition

from domain.errors import ErrorCode, Refusal
from graphql_api.auth.permissions import Permission
from graphql_api.root import schema

SNAPSHOT = Path(__file__).parents[2] / "schema.graphql"
ROOTS = ("Query", "Mutation", "Subscription")


@pytest.fixture(scope="module")
def core() -> GraphQLSchema:
    """The schema as graphql-core has it."""
    return schema._schema


class TestSnapshot:
    def test_the_committed_schema_is_current(self):
        """`make schema` writes schema.graphql."""
        assert SNAPSHOT.read_text() == print_schema(schema) + "\n"

    def test_the_committed_schema_can_be_read_by_tools(self):
        """schema.graphql is valid SDL by itself."""
        assert build_schema(SNAPSHOT.read_text()).query_type is not None


class TestDescriptions:
    def test_everything_has_a_description(self, core: GraphQLSchema):
        """Every type, field, argument, input field, enum value and directive."""
        assert [name for name, described in _all_places(core) if not described] == []


class TestRootFields:
    @pytest.mark.parametrize("root", ROOTS)
    def test_every_root_field_has_a_permission(self, root: str):
        """Each declares exactly one permission class, which the schema shows."""
        definition = schema.schema_converter.type_map[root].definition
        assert isinstance(definition, StrawberryObjectDefinition)
        permissions = {
            field.python_name: [
                permission
                for extension in field.extensions
                for permission in getattr(extension, "permissions", ())
                if isinstance(permission, Permission)
            ]
            for field in definition.fields
        }

        assert {name: len(found) for name, found in permissions.items()} == dict.fromkeys(permissions, 1)
        assert all(field.directives for field in definition.fields)


class TestMutations:
    def test_mutations_have_their_own_input_and_payload(self, core: GraphQLSchema):
        """`fooBar` takes at most `input: FooBarInput!`, and returns a nullable `FooBarPayload` with `userErrors`."""
        assert core.mutation_type is not None
        for name, field in core.mutation_type.fields.items():
            stem = name[0].upper() + name[1:]
            assert str(field.type) == f"{stem}Payload"
            assert [(key, str(argument.type)) for key, argument in field.args.items()] in (
                [],
                [("input", f"{stem}Input!")],
            )
            assert "userErrors" in core.type_map[f"{stem}Payload"].fields  # type: ignore[attr-defined]


class TestInputs:
    def test_optional_inputs_describe_their_absence(self, core: GraphQLSchema):
        """In the description of the field or of its input."""
        unclear = [
            f"{kind.name}.{name}"
            for kind in core.type_map.values()
            if isinstance(kind, GraphQLInputObjectType)
            for name, field in kind.fields.items()
            if not is_required_input_field(field) and "left out" not in f"{kind.description} {field.description}"
        ]
        assert unclear == []


class TestErrorCodes:
    def test_every_refusal_has_its_own_code(self):
        """Each kind of refusal maps to one code, and each code to one kind."""
        assert {kind.code for kind in Refusal.__subclasses__()} == set(ErrorCode)
        assert len(Refusal.__subclasses__()) == len(ErrorCode)


def _all_places(core: GraphQLSchema) -> list[tuple[str, str | None]]:
    places = [(f"@{directive.name}", directive.description) for directive in core.directives]
    for name, kind in core.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        places.append((name, kind.description))
        if isinstance(kind, GraphQLEnumType):
            places += [(f"{name}.{key}", value.description) for key, value in kind.values.items()]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            places += [(f"{name}.{key}", field.description) for key, field in kind.fields.items()]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            places += [
                (f"{name}.{key}({argument})", value.description)
                for key, field in kind.fields.items()
                for argument, value in field.args.items()
            ]
    return places
