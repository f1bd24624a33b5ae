"""Adapts resolvers to Strawberry. Only this module reads Strawberry's `Info`."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

import strawberry
from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode

from graphql_api.context import Context, FieldContext
from persistence.pagination import Part

Info = strawberry.Info[Context, None]

PARTS: Final = {
    "hasPreviousPage": Part.EARLIER,
    "hasNextPage": Part.LATER,
    "totalCount": Part.TOTAL,
    "streamCursor": Part.HEAD,
}
"""The parts of a page that fields of connections need, by the fields' names."""

_NO_ARGUMENTS: Final = ("actor", "parts", "parents")
"""Parameters of `ask` that are not arguments of the field."""


def resolver(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a resolver for Strawberry from a function with a parameter `field`, a `FieldContext`.

    The function may also have a parameter `parts`: the parts of the page that the client selected.
    """
    signature = inspect.signature(function)
    provided = {name: provide for name, provide in _PROVIDED.items() if name in signature.parameters}
    adapt = _asynchronous if inspect.iscoroutinefunction(function) else _plain
    made: Callable[..., Any] = adapt(function, provided)
    made.__signature__ = _with_info(signature)  # type: ignore[attr-defined]  # read by inspect.signature; mypy does not know it
    return made


def with_signature(resolve: Any, returns: Any, ask: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """The resolver with this return type, and with the arguments of `ask` in place of its own keyword arguments."""
    own = [each for each in inspect.signature(resolve).parameters.values() if each.kind is not each.VAR_KEYWORD]
    asked = inspect.signature(ask).parameters.values() if ask is not None else ()
    arguments = [each for each in asked if each.name not in _NO_ARGUMENTS]
    resolve.__signature__ = inspect.Signature([*own, *arguments], return_annotation=returns)
    derived: Callable[..., Any] = resolve
    return derived


def _asynchronous(function: Callable[..., Any], provided: Mapping[str, Callable[[Info], Any]]) -> Any:
    @wraps(function)
    async def resolve(self: Any, info: Info, **arguments: Any) -> Any:
        ours = {name: provide(info) for name, provide in provided.items()}
        return await function(self, **ours, **arguments)

    return resolve


def _plain(function: Callable[..., Any], provided: Mapping[str, Callable[[Info], Any]]) -> Any:
    @wraps(function)
    def resolve(self: Any, info: Info, **arguments: Any) -> Any:
        ours = {name: provide(info) for name, provide in provided.items()}
        return function(self, **ours, **arguments)

    return resolve


def _with_info(signature: inspect.Signature) -> inspect.Signature:
    first, *others = signature.parameters.values()
    info = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
    arguments = [each for each in others if each.name not in _PROVIDED]
    return signature.replace(parameters=[first, info, *arguments])


def _field_context(info: Info) -> FieldContext:
    return FieldContext(info.context, str(info.path.key), info.input_extensions)


def _parts(info: Info) -> frozenset[Part]:
    """The parts of a page to read: always its rows, and each other part that the client selected."""
    names = _selected(info)
    return frozenset({Part.ROWS, *(part for name, part in PARTS.items() if name in names)})


def _selected(info: Info) -> set[str]:
    """The names of all fields below the field that is resolved, at every depth, including those in fragments.

    `@skip` and `@include` are ignored: a part may be read although its field is skipped, but never the opposite.
    """
    raw = info._raw_info
    names: set[str] = set()
    waiting = [node.selection_set for node in raw.field_nodes]
    seen: set[str] = set()
    while waiting:
        selections = waiting.pop()
        for selection in selections.selections if selections is not None else ():
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in seen:
                    seen.add(name)
                    waiting.append(raw.fragments[name].selection_set)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FieldNode):
                names.add(selection.name.value)
                waiting.append(selection.selection_set)
    return names


_PROVIDED: Final[Mapping[str, Callable[[Info], Any]]] = {"field": _field_context, "parts": _parts}
