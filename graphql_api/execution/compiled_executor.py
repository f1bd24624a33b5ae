"""The compiled executor: runs operations that were sent before by their plans, without graphql-core.

It returns only successful results. If anything goes wrong before a change, it gives up, and the general executor runs
the whole operation. So only the general executor makes error messages, and the two executors cannot differ in them.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any, Final

from graphql import GraphQLSchema, OperationDefinitionNode, located_error

from domain.actor import Actor
from domain.errors import DomainError, Unavailable
from graphql_api.compiler.arguments import Bound
from graphql_api.compiler.fallback import Fallback, NotCompilable
from graphql_api.compiler.plan import Plan, plan_of
from graphql_api.compiler.samples import samples
from graphql_api.compiler.selections import Switches, switches_of
from graphql_api.context import Context
from graphql_api.errors import describe_all
from graphql_api.execution.document import Document, name_of
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from persistence.queries.reader import has_room_for_statements

MAX_PLANS: Final = 16
"""The maximum number of plans of a document: one per operation and combination of `@skip` and `@include` values."""

_MAX_PLANNED: Final = 2

_log: Final = logging.getLogger("taskriver.execution")


class CompiledExecutor:
    """Makes plans for documents that are sent more than once, and runs them.

    *strict* and *at_first_request* are for tests. With *strict*, an exception in a plan is raised; without it, the
    exception is logged, and the general executor runs the operation. With *at_first_request*, a plan is made at the
    first request of a document; outside of tests, that would cost more than it saves.
    """

    def __init__(self, schema: GraphQLSchema, *, strict: bool = False, at_first_request: bool = False) -> None:
        self._schema = schema
        self._strict = strict
        self._at_first_request = at_first_request
        self.compiled_count = self.general_count = 0
        """The number of operations that a plan ran, and of those that were left to the general executor."""

    async def execute(
        self, document: Document, operation: OperationDefinitionNode, request: OperationRequest, context: Context
    ) -> Response | None:
        """Run the operation. None means that nothing was done, and that the general executor must run it."""
        plan = self._plan(document, operation, request.variables)
        response = await self._run(plan, request, context) if plan is not None else None
        if response is None:
            self.general_count += 1
        else:
            self.compiled_count += 1
        return response

    def plan_ahead(self, document: Document) -> None:
        """Make the plans of a known document before it is sent.

        Two variables of `@skip` and `@include` have plans for all their values; of more, only for their defaults.
        """
        for _ in self._plans_ahead(document):
            pass

    def compile_ahead(self, document: Document, actors: Sequence[Actor]) -> None:
        """Compile the statements of a known document for such *actors* before it is sent, if there is room for them.

        Optional variables may change a statement, such as a filter. Those statements are compiled when they are given.
        """
        for plan, operation, given in self._plans_ahead(document):
            for variables, actor in product(list(samples(self._schema, operation)), actors):
                if has_room_for_statements():
                    with suppress(Fallback, DomainError):  # An id of this type is not what a field needs.
                        plan.compile(actor, {**variables, **given})

    def _plans_ahead(self, document: Document) -> Iterator[tuple[Plan, OperationDefinitionNode, dict[str, bool]]]:
        for operation in document.operations.values():
            switches = self._switches(document, operation)
            values = product((True, False), repeat=len(switches)) if len(switches) <= _MAX_PLANNED else [()]
            for each in values:
                given = dict(zip([name for name, _ in switches], each, strict=False))
                plan = self._plan(document, operation, given)
                if plan is not None:
                    yield plan, operation, given

    async def _run(self, plan: Plan, request: OperationRequest, context: Context) -> Response | None:
        try:
            plan.check_permissions(context.request)
            bound = plan.variables.bind(request.variables)
            if plan.changes:
                return await _run_mutations(plan, bound, request.extensions, context)
            return Response({"data": await _run_reads(plan, bound, context)})
        except Unavailable as error:
            # The general executor would fail too, and the client would only wait longer for the same error.
            return _unavailable(plan, error, context.request.request_id)
        except (Fallback, DomainError):
            return None
        except Exception:
            if self._strict or plan.changes:
                raise
            _log.exception("a plan failed; the general executor answers")
            return None

    def _plan(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> Plan | None:
        if not document.known and not self._at_first_request:
            return None
        name, switches = name_of(operation), self._switches(document, operation)
        values = tuple([variables.get(each, default) for each, default in switches]) if switches else ()
        if values and any(type(value) is not bool for value in values):
            return None
        key = (name, values)
        if key not in document.plans:
            if len(document.plans) >= MAX_PLANS:
                document.plans.clear()
            by_variable = {each: value for (each, _), value in zip(switches, values, strict=True)}
            document.plans[key] = self._make_plan(document, operation, by_variable)
        found: Plan | None = document.plans[key]
        return found

    def _switches(self, document: Document, operation: OperationDefinitionNode) -> tuple[tuple[str, bool | None], ...]:
        name = name_of(operation)
        switches = document.switches.get(name)
        if switches is None:
            switches = document.switches[name] = switches_of(document.ast, operation)
        return switches

    def _make_plan(self, document: Document, operation: OperationDefinitionNode, switches: Switches) -> Plan | None:
        try:
            return plan_of(self._schema, document.ast, operation, switches)
        except NotCompilable:
            return None


async def _run_reads(plan: Plan, bound: Bound, context: Context) -> dict[str, Any]:
    if not plan.steps:
        return dict(plan.written)
    actor = _actor(context)
    async with context.reading() as reading:
        try:
            found = {}
            for key, step in plan.steps.items():  # a comprehension with `await` would be another coroutine
                found[key] = await step.run(reading, actor, bound)
        except (Fallback, DomainError) as reason:
            error = reason  # Raised outside of `async with`: there, an exception would discard the connection.
        else:
            return _in_field_order(plan, found)
    raise error


async def _run_mutations(plan: Plan, bound: Bound, extensions: Mapping[str, Any], context: Context) -> Response:
    identity = context.request.identity
    actor = identity.actor if identity is not None else None  # `login` and `register` need no actor.
    arguments = {key: step.arguments.bind(bound) for key, step in plan.changes.items()}
    for step in plan.changes.values():
        step.check(actor, bound)
    # From here on, the general executor must not run the operation: it would make the changes a second time.
    found: dict[str, Any] = {}
    errors: list[Exception] = []
    for key, step in plan.changes.items():
        result = await step.run(context, actor, bound, arguments[key], extensions)
        found[key] = result.value
        errors.extend(result.errors)
    body: dict[str, Any] = {"data": _in_field_order(plan, found)}
    return Response(body | {"errors": describe_all(errors, request_id=context.request.request_id)} if errors else body)


def _actor(context: Context) -> Actor:
    identity = context.request.identity
    if identity is None:
        raise Fallback
    return identity.actor


def _in_field_order(plan: Plan, found: dict[str, Any]) -> dict[str, Any]:
    return {key: plan.written.get(key) or found[key] for key in plan.fields} if plan.written else found


def _unavailable(plan: Plan, error: Unavailable, request_id: str) -> Response:
    """The response of the general executor when no root field can be read."""
    fields = {key: field for key, field in plan.fields.items() if key not in plan.written}
    errors = [located_error(error, list(field.nodes), [key]) for key, field in fields.items()]
    all_nullable = all(field.nullable for field in fields.values())
    data = {key: plan.written.get(key) for key in plan.fields} if all_nullable else None
    return Response({"data": data, "errors": describe_all(errors, request_id=request_id)})
