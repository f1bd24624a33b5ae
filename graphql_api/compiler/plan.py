"""Plans: an operation as reads and projections, one for each document and each set of `@skip` and `@include` values.

A plan has no actor. It lists the permissions of its fields, and each request is checked with its own actor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
)
from strawberry.permission import PermissionExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter

from asgi.request_context import RequestContext
from domain.actor import Actor
from graphql_api.auth.permissions import Permission
from graphql_api.compiler.arguments import Arguments, Variables, arguments_of, variables_of
from graphql_api.compiler.code_generator import ObjectSource, PlaceInPayload, Writer
from graphql_api.compiler.fallback import NotCompilable
from graphql_api.compiler.mutations import MutationStep
from graphql_api.compiler.related import Projection
from graphql_api.compiler.related_fields import RelatedFields, page_projection, row_projection
from graphql_api.compiler.selections import Selected, Selections, Switches
from graphql_api.compiler.steps import Kind, ManyRows, NodeStep, OneRow, PageOfRows, Step
from graphql_api.resolvers.fields import NotFoundAsNull, OneInput
from graphql_api.resolvers.user_errors import RefusalAsData
from graphql_api.schema.resolves_to import AnyNode, Change, Connection, Many, One, meaning_of

_DEFINITION: Final = GraphQLCoreConverter.DEFINITION_BACKREF


@dataclass(frozen=True, slots=True)
class RootField:
    """Where a field of the root stands in the document, and whether it may be null."""

    nodes: tuple[FieldNode, ...]
    nullable: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation: its variables, its permissions, and its root fields by their names in the response.

    Constant values are in `written`; other fields of a query have a step, and those of a mutation are `changes`.
    """

    variables: Variables
    permissions: tuple[Permission, ...]
    fields: Mapping[str, RootField]
    written: Mapping[str, str]
    steps: Mapping[str, Step]
    changes: Mapping[str, MutationStep]

    def check_permissions(self, facts: RequestContext) -> None:
        """Check each permission.

        Raises:
            Failure: one is refused.
        """
        for permission in self.permissions:
            permission.check(facts)

    def compile(self, actor: Actor, given: Mapping[str, Any]) -> None:
        """Compile the statements that such an actor needs with these variables, without sending them.

        Raises:
            Fallback, DomainError: the general executor has to run the operation with these variables.
        """
        bound = self.variables.bind(given)
        for step in self.steps.values():
            step.compile(actor, bound)
        for change in self.changes.values():
            change.compile(actor, bound)


def plan_of(schema: GraphQLSchema, ast: DocumentNode, operation: OperationDefinitionNode, switches: Switches) -> Plan:
    """The plan of a query or a mutation.

    Raises:
        NotCompilable: the general executor has to run it.
    """
    if operation.operation is OperationType.SUBSCRIPTION:
        raise NotCompilable("a subscription")
    return _Planner(schema, Selections(schema, ast, operation, switches)).plan(operation)


class _Planner:
    def __init__(self, schema: GraphQLSchema, selections: Selections) -> None:
        self._schema = schema
        self._selections = selections
        self._permissions: dict[Permission, None] = {}

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        root = self._schema.get_root_type(operation.operation)
        assert root is not None
        fields: dict[str, RootField] = {}
        written: dict[str, str] = {}
        steps: dict[str, Step] = {}
        changes: dict[str, MutationStep] = {}
        for key, selected in self._selections.at_the_root(root).items():
            nodes = tuple(each.node for each in selected)
            if nodes[0].name.value == "__typename":
                fields[key], written[key] = RootField(nodes, nullable=False), root.name
                continue
            field = root.fields.get(nodes[0].name.value)
            if field is None:
                raise NotCompilable("introspection")
            self._permissions[_permission_of(field)] = None
            fields[key] = RootField(nodes, not isinstance(field.type, GraphQLNonNull))
            arguments = arguments_of(field, nodes[0])
            if operation.operation is OperationType.MUTATION:
                changes[key] = self._change(key, field, arguments, selected)
            else:
                steps[key] = self._step_of(field, arguments, selected)
        variables = variables_of(self._schema, operation)
        return Plan(variables, tuple(self._permissions), fields, written, steps, changes)

    def _change(
        self, key: str, field: GraphQLField, arguments: Arguments, selected: Sequence[Selected]
    ) -> MutationStep:
        definition, kind = field.extensions[_DEFINITION], get_named_type(field.type)
        meaning = meaning_of(field)
        if not isinstance(meaning, Change) or not isinstance(kind, GraphQLObjectType):
            raise NotCompilable(f"the mutation {definition.python_name}")
        related = RelatedFields[PlaceInPayload](self._selections)
        writer = Writer(self._selections, related)
        expression = writer.object(kind, selected, ObjectSource("payload", (key,), null_at=1))
        return MutationStep(
            key,
            tuple(each.node for each in selected),
            meaning.resolve,
            meaning.viewer,
            next(each for each in definition.extensions if isinstance(each, RefusalAsData)),
            arguments,
            related.planned(),
            writer.names.function("payload, related, actor", expression),
        )

    def _step_of(self, field: GraphQLField, arguments: Arguments, selected: Sequence[Selected]) -> Step:
        meaning, kind = meaning_of(field), get_named_type(field.type)
        if isinstance(meaning, AnyNode) and isinstance(kind, GraphQLInterfaceType):
            return NodeStep(self._kinds(meaning, selected), arguments)
        if not isinstance(kind, GraphQLObjectType):
            raise NotCompilable(f"a root field of type {kind}")
        if isinstance(meaning, Connection):
            parts, made = page_projection(self._selections, kind, selected)
            return PageOfRows(meaning.ask, arguments, made, parts)
        if isinstance(meaning, One):
            nullable = not isinstance(field.type, GraphQLNonNull)
            return OneRow(meaning.ask, arguments, self._row(kind, selected), nullable)
        if isinstance(meaning, Many):
            return ManyRows(meaning.ask, arguments, self._row(kind, selected))
        raise NotCompilable(f"a root field of type {kind} that declares nothing")

    def _row(self, kind: GraphQLObjectType, selected: Sequence[Selected], *columns: str) -> Projection:
        return row_projection(self._selections, kind, selected, *columns)

    def _kinds(self, meaning: AnyNode, selected: Sequence[Selected]) -> dict[str, Kind]:
        found: dict[str, Kind] = {}
        for name, each in meaning.types.items():
            kind: Any = self._schema.type_map[name]
            found[name] = Kind(each.ask, self._row(kind, selected, "id"))
        return found


def _permission_of(field: GraphQLField) -> Permission:
    """The one permission of a root field; its other extensions must be known to the compiler."""
    extensions = field.extensions[_DEFINITION].extensions
    found = [each for extension in extensions for each in _permissions(extension)]
    if len(found) != 1 or not isinstance(found[0], Permission):
        raise NotCompilable("a root field without a permission of ours")
    return found[0]


def _permissions(extension: object) -> Sequence[object]:
    if isinstance(extension, PermissionExtension):
        return extension.permissions
    if isinstance(extension, NotFoundAsNull | RefusalAsData | OneInput):
        return ()
    raise NotCompilable(f"the extension {type(extension).__name__}")
