"""Variables and arguments: from JSON to the values that resolvers take, by functions made once per document.

They accept the common valid forms. For anything else they raise `Fallback`: the general executor reports the error, or
accepts a form that the specification allows as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    type_from_ast,
    value_from_ast_untyped,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from graphql_api.compiler.fallback import Fallback, NotCompilable

Bound = Mapping[str, Any]
"""The variables that were given or have a default, coerced."""

Coerce = Callable[[Any], Any]
Get = Callable[[Bound], Any]

ABSENT: Final = object()
_GREATEST_INT: Final = 2**31
_DEFINITION: Final = GraphQLCoreConverter.DEFINITION_BACKREF


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of an operation."""

    defaults: Bound
    coercions: Sequence[tuple[str, Coerce, bool]]

    def bind(self, given: Mapping[str, Any]) -> Bound:
        """Their values in one request.

        Raises:
            Fallback: one is missing, or not of its type.
        """
        bound = dict(self.defaults)
        for name, coerce, required in self.coercions:
            if name in given:
                bound[name] = coerce(given[name])
            elif required:
                raise Fallback
        return bound


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a field, by the names that its resolver knows."""

    fixed: Mapping[str, Any]
    variable: Sequence[tuple[str, Get]]

    def bind(self, bound: Bound) -> dict[str, Any]:
        """Their values in one request.

        Raises:
            Fallback: one is not of its type.
        """
        values = dict(self.fixed)
        for name, get in self.variable:
            value = get(bound)
            if value is not ABSENT:
                values[name] = value
        return values


def variables_of(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Variables:
    """What the operation declares.

    Raises:
        NotCompilable: a type or a default is not supported.
    """
    defaults: dict[str, Any] = {}
    coercions: list[tuple[str, Coerce, bool]] = []
    for declared in operation.variable_definitions or ():
        name, kind = declared.variable.name.value, type_from_ast(schema, declared.type)
        coerce = coercion(kind)
        if declared.default_value is not None:
            defaults[name] = _constant(coerce, declared.default_value)
        required = isinstance(kind, GraphQLNonNull) and declared.default_value is None
        coercions.append((name, coerce, required))
    return Variables(defaults, coercions)


def arguments_of(field: GraphQLField, node: FieldNode) -> Arguments:
    """What a document gives to a field.

    Raises:
        NotCompilable: a literal is of an unknown type.
    """
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    fixed: dict[str, Any] = {}
    variable: list[tuple[str, Get]] = []
    for name, argument in field.args.items():
        python_name = argument.extensions[_DEFINITION].python_name
        if argument.default_value is not Undefined:
            fixed[python_name] = argument.default_value
        if name in given:
            get = _get(given[name], argument.type, required=argument.default_value is Undefined)
            if _is_constant(given[name]):
                fixed[python_name] = get({})
            else:
                variable.append((python_name, get))
    return Arguments(fixed, variable)


def coercion(kind: Any) -> Coerce:
    """The function that takes a JSON value to one of this type.

    Raises:
        NotCompilable: it is of an unknown kind.
    """
    if isinstance(kind, GraphQLNonNull):
        inner = coercion(kind.of_type)

        def required(value: Any) -> Any:
            if value is None:
                raise Fallback
            return inner(value)

        return required
    given = _coercion_of_given(kind)
    return lambda value: None if value is None else given(value)


def _coercion_of_given(kind: Any) -> Coerce:
    if isinstance(kind, GraphQLList):
        return _list(coercion(kind.of_type))
    if isinstance(kind, GraphQLEnumType):
        return _enum(kind)
    if isinstance(kind, GraphQLInputObjectType):
        return _input(kind)
    if isinstance(kind, GraphQLScalarType):
        return _SCALARS.get(kind.name) or _scalar(kind)
    raise NotCompilable(f"the type {kind}")


def _list(item: Coerce) -> Coerce:
    def coerce(value: Any) -> Any:
        # One value stands for a list of it (GraphQL, 3.11).
        return [item(each) for each in (value if type(value) is list else (value,))]

    return coerce


def _enum(kind: GraphQLEnumType) -> Coerce:
    members = {name: kind.parse_value(name) for name in kind.values}

    def coerce(value: Any) -> Any:
        if type(value) is not str or value not in members:
            raise Fallback
        return members[value]

    return coerce


def _scalar(kind: GraphQLScalarType) -> Coerce:
    def coerce(value: Any) -> Any:
        try:
            return kind.parse_value(value)
        except GraphQLError:
            raise Fallback from None

    return coerce


def _input(kind: GraphQLInputObjectType) -> Coerce:
    if kind.is_one_of:
        raise NotCompilable(f"the oneOf input {kind}")
    make = kind.extensions[_DEFINITION].origin
    fields = {
        name: (field.extensions[_DEFINITION].python_name, coercion(field.type)) for name, field in kind.fields.items()
    }
    required = [name for name, field in kind.fields.items() if _is_required(field.type, field.default_value)]

    def coerce(value: Any) -> Any:
        if type(value) is not dict or any(name not in value for name in required):
            raise Fallback
        values = {}
        for name, each in value.items():
            field = fields.get(name)
            if field is None:
                raise Fallback
            values[field[0]] = field[1](each)
        return make(**values)

    return coerce


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Fallback
    return value


def _int(value: Any) -> int:
    if type(value) is not int or not -_GREATEST_INT <= value < _GREATEST_INT:
        raise Fallback
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Fallback
    return value


_SCALARS: Final[Mapping[str, Coerce]] = {"String": _text, "ID": _text, "Int": _int, "Boolean": _boolean}


def _is_required(kind: GraphQLInputType, default: Any) -> bool:
    return isinstance(kind, GraphQLNonNull) and default is Undefined


def _is_constant(node: ValueNode) -> bool:
    if isinstance(node, ListValueNode):
        return all(_is_constant(each) for each in node.values)
    if isinstance(node, ObjectValueNode):
        return all(_is_constant(field.value) for field in node.fields)
    return not isinstance(node, VariableNode)


def _constant(coerce: Coerce, node: ValueNode) -> Any:
    try:
        return coerce(value_from_ast_untyped(node))
    except Fallback:
        raise NotCompilable("a literal that is not valid for its type") from None


def _get(node: ValueNode, kind: GraphQLInputType, *, required: bool) -> Get:
    """The function that takes the variables to the value of a literal that may hold some.

    It returns ABSENT for a variable that was not given, where that is allowed.
    """
    if isinstance(node, VariableNode):
        return _variable(node.name.value, never_null=isinstance(kind, GraphQLNonNull), required=required)
    if _is_constant(node):
        constant = _constant(coercion(kind), node)
        return lambda bound: constant
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
        return _object(node, inner)
    if isinstance(inner, GraphQLList) and isinstance(node, ListValueNode):
        return _items(node, inner)
    raise NotCompilable("a literal with a variable in an unusual place")


def _variable(name: str, *, never_null: bool, required: bool) -> Get:
    def get(bound: Bound) -> Any:
        value = bound.get(name, ABSENT)
        if (value is None and never_null) or (value is ABSENT and never_null and required):
            raise Fallback
        return value

    return get


def _object(node: ObjectValueNode, kind: GraphQLInputObjectType) -> Get:
    if kind.is_one_of:
        raise NotCompilable(f"the oneOf input {kind}")
    make = kind.extensions[_DEFINITION].origin
    fields: list[tuple[str, Get]] = []
    for each in node.fields:
        known = kind.fields[each.name.value]
        value_of = _get(each.value, known.type, required=_is_required(known.type, known.default_value))
        fields.append((known.extensions[_DEFINITION].python_name, value_of))

    def get(bound: Bound) -> Any:
        values = ((name, field(bound)) for name, field in fields)
        return make(**{name: value for name, value in values if value is not ABSENT})

    return get


def _items(node: ListValueNode, kind: Any) -> Get:
    items = [_get(each, kind.of_type, required=True) for each in node.values]

    def get(bound: Bound) -> Any:
        # A variable that was not given is null in a list.
        return [None if (value := item(bound)) is ABSENT else value for item in items]

    return get
