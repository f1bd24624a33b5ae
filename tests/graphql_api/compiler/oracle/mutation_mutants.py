"""Mistakes in the compiled way of mutations."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import located_error

from asgi.request_context import RequestContext
from domain.user import Role
from graphql_api.compiler import arguments, mutations, plan
from graphql_api.compiler.arguments import Arguments
from graphql_api.compiler.mutations import FieldResult, MutationStep
from graphql_api.compiler.plan import Plan
from graphql_api.compiler.selections import Selections
from graphql_api.context import FieldContext
from graphql_api.execution import compiled_executor
from graphql_api.execution.response import Response
from graphql_api.schema.resolves_to import Change, meaning_of
from tests.graphql_api.compiler.oracle.mutants import Mutant, Patch, one_row_for_all


def _refusals_are_errors(patch: Patch) -> None:
    class Never(Exception):
        """Nothing is one."""

    patch.setattr(mutations, "Refusal", Never)


def _errors_without_a_path(patch: Patch) -> None:
    patch.setattr(mutations, "located_error", lambda error, nodes, path: located_error(error, nodes, []))


def _errors_without_locations(patch: Patch) -> None:
    patch.setattr(mutations, "located_error", lambda error, nodes, path: located_error(error, None, path))


def _errors_at_the_first_place_only(patch: Patch) -> None:
    patch.setattr(mutations, "located_error", lambda error, nodes, path: located_error(error, nodes[:1], path))


def _no_viewer_of_its_own(patch: Patch) -> None:
    def wrong(field: Any) -> Any:
        found = meaning_of(field)
        return replace(found, viewer=None) if isinstance(found, Change) else found

    patch.setattr(plan, "meaning_of", wrong)


def _viewed_by_an_admin(patch: Patch) -> None:
    right = MutationStep._project

    async def wrong(self: MutationStep, context: Any, viewer: Any, *given: Any) -> FieldResult:
        return await right(self, context, viewer and replace(viewer, role=Role.ADMIN), *given)

    patch.setattr(MutationStep, "_project", wrong)


def _all_keys_in_one_place(patch: Patch) -> None:
    patch.setattr(mutations, "FieldContext", lambda context, key, extensions: FieldContext(context, "x", extensions))


def _keys_in_extensions_are_lost(patch: Patch) -> None:
    patch.setattr(mutations, "FieldContext", lambda context, key, extensions: FieldContext(context, key, {}))


def _the_last_field_first(patch: Patch) -> None:
    right = compiled_executor._run_mutations

    async def wrong(made: Plan, *given: Any) -> Response:
        response = await right(
            replace(made, changes={key: made.changes[key] for key in reversed([*made.changes])}), *given
        )
        response.body["data"] = {key: response.body["data"][key] for key in made.fields}
        return response

    patch.setattr(compiled_executor, "_run_mutations", wrong)


def _nothing_after_a_failure(patch: Patch) -> None:
    right = MutationStep.run
    failed: set[int] = set()

    async def wrong(self: MutationStep, context: Any, *given: Any) -> FieldResult:
        if id(context) in failed:
            return FieldResult(None)
        expected = await right(self, context, *given)
        if expected.errors:
            failed.add(id(context))
        return expected

    patch.setattr(MutationStep, "run", wrong)


def _references_are_missing(patch: Patch) -> None:
    patch.setattr(mutations, "_note", lambda *_: None)


def _made_again_in_general(patch: Patch) -> None:
    right = compiled_executor._run_mutations

    async def wrong(*given: Any) -> Response | None:
        await right(*given)
        return None

    patch.setattr(compiled_executor, "_run_mutations", wrong)


def _made_twice(patch: Patch) -> None:
    right = MutationStep.run

    async def wrong(self: MutationStep, *given: Any) -> FieldResult:
        await right(self, *given)
        return await right(self, *given)

    patch.setattr(MutationStep, "run", wrong)


class _Late(Mapping[str, Any]):
    """Arguments that are bound when they are used."""

    def __init__(self, bind: Callable[[], Mapping[str, Any]]) -> None:
        self._bind = bind

    def __getitem__(self, name: str) -> Any:
        return self._bind()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._bind())

    def __len__(self) -> int:
        return len(self._bind())


def _arguments_in_the_middle(patch: Patch) -> None:
    """What is wrong with a later field is found when an earlier one has made its change."""
    bind = Arguments.bind
    patch.setattr(Arguments, "bind", lambda self, bound: _Late(partial(bind, self, bound)))


def _left_out_is_null(patch: Patch) -> None:
    """`assignTask` without `assigneeId` takes the assignee away."""
    right = arguments._input

    def wrong(kind: Any) -> Any:
        coerce = right(kind)
        nullable = [name for name, known in kind.fields.items() if not str(known.type).endswith("!")]
        return lambda value: coerce(dict.fromkeys(nullable) | value if isinstance(value, dict) else value)

    patch.setattr(arguments, "_input", wrong)


def _without_permissions(patch: Patch) -> None:
    def wrong(self: Plan, facts: RequestContext) -> None:
        """Allow every request."""

    patch.setattr(Plan, "check_permissions", wrong)


def _no_texts_of_refusals(patch: Patch) -> None:
    right = MutationStep._project

    async def wrong(self: MutationStep, context: Any, viewer: Any, bound: Any, payload: Any) -> FieldResult:
        payload.user_errors = []
        return await right(self, context, viewer, bound, payload)

    patch.setattr(MutationStep, "_project", wrong)


def _one_place_of_two(patch: Patch) -> None:
    """Of a field that is selected in two places, the first selection counts alone."""
    right = Selections.below
    patch.setattr(Selections, "below", lambda self, kind, selected: right(self, kind, selected[:1]))


MUTANTS = [
    Mutant("mutations", "a refusal is returned as an error", _refusals_are_errors),
    Mutant("mutations", "errors have no path", _errors_without_a_path),
    Mutant("mutations", "errors have no locations", _errors_without_locations),
    Mutant("mutations", "errors have the first of two locations", _errors_at_the_first_place_only),
    Mutant("plan", "who signs in sees the payload as before", _no_viewer_of_its_own),
    Mutant("mutations", "every user sees payloads like an admin", _viewed_by_an_admin),
    Mutant("mutations", "an idempotency key counts for all fields together", _all_keys_in_one_place),
    Mutant("mutations", "an idempotency key in the extensions is lost", _keys_in_extensions_are_lost),
    Mutant("compiled_executor", "the fields of the root run in reverse", _the_last_field_first),
    Mutant("compiled_executor", "no field runs after one that failed", _nothing_after_a_failure),
    Mutant("mutations", "references of payloads are missing", _references_are_missing),
    Mutant("related", "all references of a payload are one user", one_row_for_all),
    Mutant("compiled_executor", "what was changed is left to the general executor", _made_again_in_general),
    Mutant("mutations", "events are doubled", _made_twice),
    Mutant("arguments", "arguments are bound after the first change", _arguments_in_the_middle),
    Mutant("arguments", "what is left out is null", _left_out_is_null),
    Mutant("plan", "permissions are not checked", _without_permissions),
    Mutant("code_generator", "refusals have no messages", _no_texts_of_refusals),
    Mutant("selections", "a field in two places has one selection", _one_place_of_two),
]
