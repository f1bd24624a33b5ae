"""Error messages for literals and variables. Each names the argument or variable and the position of the error in it.

graphql-core finds the errors. It quotes the value of a variable in Python syntax; this module replaces that by JSON.
Messages never quote a whole input object, because it may contain a password.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from graphql import (
    ArgumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    ValidationRule,
    ValueNode,
    VariableDefinitionNode,
    is_input_type,
    type_from_ast,
    validate_input_literal,
    validate_input_value,
)
from graphql.pyutils import inspect, print_path_list

from graphql_api.errors import null_in_json

MAX_ERRORS: Final = 5
"""The maximum number of errors for variables: a list may have thousands."""

_MAX_QUOTED: Final = 100
_UNEXPECTED: Final = re.compile(r", but encountered error '.*'; found: .*", re.DOTALL)
_FOUND_OBJECT: Final = re.compile(r"(, found| Found): [{\[].*", re.DOTALL)

Path = list[str | int]


class ValuesOfCorrectType(ValidationRule):
    """Replaces the rule of graphql-core with this name. Each error has the argument, the position and a location."""

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        """Check the value of an argument of a field or a directive."""
        self._check(node.value, f"Argument '{node.name.value}' has invalid value")

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        """Check the default value of a variable."""
        if node.default_value is not None:
            self._check(node.default_value, f"Variable '${node.variable.name.value}' has invalid default value")

    def _check(self, value: ValueNode, what: str) -> None:
        kind = self.context.get_input_type()
        if kind is None:
            return

        def report(error: GraphQLError, path: Path) -> None:
            nodes = error.nodes if error.locations else [_node_at(value, path)]
            self.report_error(GraphQLError(f"{what}{print_path_list(path)}: {_in_json(error)}", nodes))

        validate_input_literal(value, kind, report, hide_suggestions=self.context.hide_suggestions)


def variable_errors(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    errors: list[GraphQLError],
    *,
    suggestions: bool,
) -> list[GraphQLError]:
    """The errors that graphql-core found in the variables of an operation, with values in JSON syntax."""
    found: list[GraphQLError] = []
    for node, kind in _given(schema, operation, variables):
        name = node.variable.name.value
        try:
            validate_input_value(
                variables[name], kind, _reporter(found, node, variables[name]), hide_suggestions=not suggestions
            )
        except _ErrorLimitReached:
            break
    others = [error for error in errors if error.nodes and " has invalid value" not in error.message]
    return [*others, *found][:MAX_ERRORS] or errors


class _ErrorLimitReached(Exception):
    """The maximum number of errors is reached."""


def _given(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Iterator[tuple[VariableDefinitionNode, GraphQLInputType]]:
    for node in operation.variable_definitions or ():
        kind: Any = type_from_ast(schema, node.type)
        if node.variable.name.value in variables and is_input_type(kind):
            yield node, kind


def _reporter(
    found: list[GraphQLError], node: VariableDefinitionNode, value: Any
) -> Callable[[GraphQLError, Path], None]:
    def report(error: GraphQLError, path: Path) -> None:
        if len(found) >= MAX_ERRORS:
            raise _ErrorLimitReached
        message = _in_json(error, _value_at(value, path))
        what = f"Variable '${node.variable.name.value}' has invalid value{print_path_list(path)}"
        found.append(GraphQLError(f"{what}: {message}", node))

    return report


def _in_json(error: GraphQLError, value: Any = None) -> str:
    """The message with JSON in place of Python syntax, without input objects, and without the texts of exceptions."""
    message = null_in_json(_UNEXPECTED.sub(".", error.message))
    if _FOUND_OBJECT.search(message):
        return _FOUND_OBJECT.sub("." if ", found" in message else "", message)
    return message.replace(f": {inspect(value)}", f": {_quoted(value)}") if value is not None else message


def _quoted(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"


def _value_at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, dict | list):
            value = value[part]  # type: ignore[index]  # part is a key of a dict, an index of a list
    return value


def _node_at(node: ValueNode, path: Path) -> ValueNode:
    for part in path:
        if isinstance(node, ObjectValueNode):
            node = next(field.value for field in node.fields if field.name.value == part)
        elif isinstance(node, ListValueNode) and isinstance(part, int):
            node = node.values[part]
    return node
