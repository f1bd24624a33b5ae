"""Mistakes in the compiled way of mutations."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphql import located_error
from graphql.pyutils import Path

from domain.user import Role
from graphql_api.auth.facts import RequestFacts
from graphql_api.execution import arguments, changes, compiled, plan
from graphql_api.execution.arguments import Arguments
from graphql_api.execution.changes import Asking, ChangeStep, Told
from graphql_api.execution.fields import Selections
from graphql_api.execution.plan import Plan
from graphql_api.execution.response import Response
from graphql_api.schema.stands_for import Change, meaning_of
from tests.graphql_api.execution.oracle.mutants import Mutant, Patch


def _refusals_are_errors(patch: Patch) -> None:
    class Never(Exception):
        """Nothing is one."""

    patch.setattr(changes, "Refusal", Never)


def _errors_without_a_path(patch: Patch) -> None:
    patch.setattr(changes, "located_error", lambda error, nodes, path: located_error(error, nodes, []))


def _errors_without_locations(patch: Patch) -> None:
    patch.setattr(changes, "located_error", lambda error, nodes, path: located_error(error, None, path))


def _errors_at_the_first_place_only(patch: Patch) -> None:
    patch.setattr(changes, "located_error", lambda error, nodes, path: located_error(error, nodes[:1], path))


def _no_viewer_of_its_own(patch: Patch) -> None:
    def wrong(field: Any) -> Any:
        found = meaning_of(field)
        return Change() if isinstance(found, Change) else found

    patch.setattr(plan, "meaning_of", wrong)


def _viewed_by_an_admin(patch: Patch) -> None:
    right = ChangeStep._told

    async def wrong(self: ChangeStep, context: Any, viewer: Any, payload: Any) -> Told:
        return await right(self, context, viewer and replace(viewer, role=Role.ADMIN), payload)

    patch.setattr(ChangeStep, "_told", wrong)


def _all_keys_in_one_place(patch: Patch) -> None:
    patch.setattr(changes, "Path", lambda before, key, kind: Path(before, "field", kind))


def _keys_in_extensions_are_lost(patch: Patch) -> None:
    patch.setattr(changes, "Asking", lambda context, path, extensions: Asking(context, path, {}))


def _the_last_field_first(patch: Patch) -> None:
    right = compiled._change

    async def wrong(made: Plan, *given: Any) -> Response:
        response = await right(
            replace(made, changes={key: made.changes[key] for key in reversed([*made.changes])}), *given
        )
        response.body["data"] = {key: response.body["data"][key] for key in made.fields}
        return response

    patch.setattr(compiled, "_change", wrong)


def _nothing_after_a_failure(patch: Patch) -> None:
    right = ChangeStep.run
    failed: set[int] = set()

    async def wrong(self: ChangeStep, context: Any, *given: Any) -> Told:
        if id(context) in failed:
            return Told(None)
        told = await right(self, context, *given)
        if told.errors:
            failed.add(id(context))
        return told

    patch.setattr(ChangeStep, "run", wrong)


def _references_are_missing(patch: Patch) -> None:
    async def wrong(self: ChangeStep, context: Any, wanted: Mapping[int, Any]) -> Mapping[Any, Any]:
        return {}

    patch.setattr(ChangeStep, "_find", wrong)


def _the_owner_is_everybody(patch: Patch) -> None:
    right = ChangeStep._find

    async def wrong(self: ChangeStep, context: Any, wanted: Mapping[int, Any]) -> Any:
        found = await right(self, context, wanted)
        return {key: next(iter(found.values())) for key in found}

    patch.setattr(ChangeStep, "_find", wrong)


def _made_again_in_general(patch: Patch) -> None:
    right = compiled._change

    async def wrong(*given: Any) -> Response | None:
        await right(*given)
        return None

    patch.setattr(compiled, "_change", wrong)


def _made_twice(patch: Patch) -> None:
    right = ChangeStep.run

    async def wrong(self: ChangeStep, *given: Any) -> Told:
        await right(self, *given)
        return await right(self, *given)

    patch.setattr(ChangeStep, "run", wrong)


def _arguments_in_the_middle(patch: Patch) -> None:
    """What is wrong with a later field is found when an earlier one has made its change."""
    right = ChangeStep.run

    async def late(self: ChangeStep, context: Any, actor: Any, bind: Any, extensions: Any) -> Told:
        return await right(self, context, actor, bind(), extensions)

    bind = Arguments.bind
    patch.setattr(ChangeStep, "run", late)
    patch.setattr(Arguments, "bind", lambda self, bound: lambda: bind(self, bound))


def _left_out_is_null(patch: Patch) -> None:
    """`assignTask` without `assigneeId` takes the assignee away."""
    right = arguments._input

    def wrong(kind: Any) -> Any:
        coerce = right(kind)
        nullable = [name for name, known in kind.fields.items() if not str(known.type).endswith("!")]
        return lambda value: coerce(dict.fromkeys(nullable) | value if isinstance(value, dict) else value)

    patch.setattr(arguments, "_input", wrong)


def _doors_are_open(patch: Patch) -> None:
    def wrong(self: Plan, facts: RequestFacts) -> None:
        """Let everybody in."""

    patch.setattr(Plan, "check_doors", wrong)


def _no_texts_of_refusals(patch: Patch) -> None:
    right = ChangeStep._told

    async def wrong(self: ChangeStep, context: Any, viewer: Any, payload: Any) -> Told:
        payload.user_errors = []
        return await right(self, context, viewer, payload)

    patch.setattr(ChangeStep, "_told", wrong)


def _one_place_of_two(patch: Patch) -> None:
    """Of a field that is selected in two places, the first selection counts alone."""
    right = Selections.below
    patch.setattr(Selections, "below", lambda self, kind, selected: right(self, kind, selected[:1]))


MUTANTS = [
    Mutant("changes", "a refusal is told as an error", _refusals_are_errors),
    Mutant("changes", "errors have no path", _errors_without_a_path),
    Mutant("changes", "errors have no locations", _errors_without_locations),
    Mutant("changes", "errors have the first of two locations", _errors_at_the_first_place_only),
    Mutant("plan", "who signs in sees the payload as before", _no_viewer_of_its_own),
    Mutant("changes", "everybody sees payloads as an admin", _viewed_by_an_admin),
    Mutant("changes", "an idempotency key counts for all fields together", _all_keys_in_one_place),
    Mutant("changes", "an idempotency key in the extensions is lost", _keys_in_extensions_are_lost),
    Mutant("compiled", "the fields of the root run in reverse", _the_last_field_first),
    Mutant("compiled", "no field runs after one that failed", _nothing_after_a_failure),
    Mutant("changes", "references of payloads are missing", _references_are_missing),
    Mutant("changes", "all references of a payload are one user", _the_owner_is_everybody),
    Mutant("compiled", "what was changed is left to the general executor", _made_again_in_general),
    Mutant("changes", "events are doubled", _made_twice),
    Mutant("arguments", "arguments are bound after the first change", _arguments_in_the_middle),
    Mutant("arguments", "what is left out is null", _left_out_is_null),
    Mutant("plan", "doors are not looked at", _doors_are_open),
    Mutant("projection", "refusals are not told", _no_texts_of_refusals),
    Mutant("fields", "a field in two places has one selection", _one_place_of_two),
]
