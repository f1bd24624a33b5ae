"""Mistakes in the compiled executor that are easy to make."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from asgi.request_context import RequestContext
from domain.user import Role
from graphql_api.compiler import arguments, code_generator, pages
from graphql_api.compiler.code_generator import Writer
from graphql_api.compiler.pages import CompiledPage, page_of
from graphql_api.compiler.plan import Plan
from graphql_api.compiler.related import PageLookup, RowLookup, read_related
from graphql_api.compiler.selections import Selections
from graphql_api.execution import compiled_executor
from graphql_api.schema import resolves_to
from graphql_api.schema.connections import _end_cursor, _start_cursor
from graphql_api.schema.resolves_to import Expression, OfPage
from persistence.queries.task_list import TaskOrder

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Mutant:
    """A mistake in a module of the executor, its description, and the patch that makes it."""

    part: str
    name: str
    make: Callable[[Patch], None]


def _ids_of_another_type(patch: Patch) -> None:
    patch.setattr(code_generator, "encoder_of", lambda kind: lambda identity: f"{kind}:{identity}")


def _null_is_a_user(patch: Patch) -> None:
    right = Writer._reference

    def wrong(self: Writer, *given: Any) -> str:
        return right(self, *given).replace("None if row[", "None if not row and row[")

    patch.setattr(Writer, "_reference", wrong)


def _every_switch_is_on(patch: Patch) -> None:
    right = Selections.__init__

    def wrong(self: Selections, schema: Any, ast: Any, operation: Any, switches: Any) -> None:
        right(self, schema, ast, operation, dict.fromkeys(switches, True))

    patch.setattr(Selections, "__init__", wrong)


def _the_other_end(patch: Patch) -> None:
    right = CompiledPage.cursor_at
    patch.setattr(CompiledPage, "cursor_at", lambda self, place: right(self, -1 - place))


def _nothing_behind(patch: Patch) -> None:
    class Wrong(CompiledPage):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.has_next = False

    patch.setattr(pages, "CompiledPage", Wrong)


def _in_the_order_of_reading(patch: Patch) -> None:
    class Wrong(CompiledPage):
        def __init__(self, found: Any, paged: Any, facts: Any) -> None:
            super().__init__(found, paged, facts)
            self.rows = found[: paged.request.size]

    patch.setattr(pages, "CompiledPage", Wrong)


def _nothing_before(patch: Patch) -> None:
    class Wrong(CompiledPage):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.has_previous = False

    patch.setattr(pages, "CompiledPage", Wrong)


def _as_an_admin(patch: Patch) -> None:
    right = compiled_executor._actor
    patch.setattr(compiled_executor, "_actor", lambda context: replace(right(context), role=Role.ADMIN))


def _names_in_lower_case(patch: Patch) -> None:
    right = code_generator._names_of
    patch.setattr(code_generator, "_names_of", lambda kind: {each: name.lower() for each, name in right(kind).items()})


def _another_default(patch: Patch) -> None:
    right = arguments.arguments_of

    def wrong(field: Any, node: Any) -> arguments.Arguments:
        found = right(field, node)
        if found.fixed.get("order_by") is TaskOrder.CREATED_DESC:
            return arguments.Arguments({**found.fixed, "order_by": TaskOrder.CREATED_ASC}, found.variable)
        return found

    patch.setattr("graphql_api.compiler.plan.arguments_of", wrong)


def _policy_allows_all(patch: Patch) -> None:
    right = resolves_to.meaning_of

    def wrong(field: Any) -> Any:
        found = right(field)
        return Expression(lambda *_: True, found.columns) if isinstance(found, Expression) else found

    patch.setattr("graphql_api.compiler.code_generator.meaning_of", wrong)


def _in_another_order(patch: Patch) -> None:
    right = compiled_executor._in_field_order
    patch.setattr(compiled_executor, "_in_field_order", lambda made, found: dict(reversed(right(made, found).items())))


def _everybodys_history(patch: Patch) -> None:
    async def wrong(self: PageLookup, reading: Any, actor: Any, bound: Any, ids: list[Any]) -> Any:
        paged = self.ask(actor, self.parts, ids, **self.arguments.bind(bound))
        found = await reading.rows(self.made.shape, paged.query.rows, paged.query.values) if ids else []
        related = await read_related(self.made.related, reading, actor, bound, found)
        return [lambda identity: self.made.project(page_of(found, paged, key=-2), related, actor)]

    patch.setattr(PageLookup, "read", wrong)


def one_row_for_all(patch: Patch) -> None:
    """All fields that refer to rows find the same row."""
    right = RowLookup.read

    async def wrong(self: RowLookup, reading: Any, actor: Any, bound: Any, ids: list[Any]) -> Any:
        found = await right(self, reading, actor, bound, ids)
        return [lambda identity, find=find: find(identity and ids[0]) for find in found]

    patch.setattr(RowLookup, "read", wrong)


def _without_permissions(patch: Patch) -> None:
    def wrong(self: Plan, facts: RequestContext) -> None:
        """Allow every request."""

    patch.setattr(Plan, "check_permissions", wrong)


def _every_text_is_an_id(patch: Patch) -> None:
    patch.setattr("graphql_api.compiler.steps.decode_id", lambda text, field: ("Thing", None))


def _one_end_is_the_other(patch: Patch) -> None:
    right = resolves_to.meaning_of

    def wrong(field: Any) -> Any:
        found = right(field)
        return OfPage(_start_cursor) if found == OfPage(_end_cursor) else found

    patch.setattr("graphql_api.compiler.connections.meaning_of", wrong)


def _no_variables(patch: Patch) -> None:
    patch.setattr(arguments.Variables, "bind", lambda self, given: dict(self.defaults))


MUTANTS = [
    Mutant("code_generator", "ids are written in another way", _ids_of_another_type),
    Mutant("code_generator", "a null reference is an object", _null_is_a_user),
    Mutant("selections", "every @skip and @include is switched on", _every_switch_is_on),
    Mutant("pages", "the first cursor is the last one's", _the_other_end),
    Mutant("pages", "there is never another page", _nothing_behind),
    Mutant("pages", "there is never a page before", _nothing_before),
    Mutant("pages", "the last rows come in the order in which they are read", _in_the_order_of_reading),
    Mutant("compiled_executor", "every user sees what an admin sees", _as_an_admin),
    Mutant("code_generator", "enums are written in lower case", _names_in_lower_case),
    Mutant("arguments", "an argument has another default", _another_default),
    Mutant("code_generator", "whatever is asked of the policy, the answer is yes", _policy_allows_all),
    Mutant("compiled_executor", "the fields of the root come in another order", _in_another_order),
    Mutant("related", "each task has the history of all", _everybodys_history),
    Mutant("related", "all rows refer to one row", one_row_for_all),
    Mutant("plan", "permissions are not checked", _without_permissions),
    Mutant("steps", "no node is found by its id", _every_text_is_an_id),
    Mutant("arguments", "variables are not looked at", _no_variables),
    Mutant("connections", "the end of a page is its start", _one_end_is_the_other),
]
