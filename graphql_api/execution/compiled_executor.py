"""The compiled way: operations that were sent before are run by their plans, without graphql-core.

It answers only what goes well. Anything else is a deviation, and the general executor runs the whole operation: it has
the words of the specification for whatever is wrong, and the two cannot disagree about them.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from graphql import GraphQLSchema, OperationDefinitionNode, located_error

from domain.actor import Actor
from domain.errors import DomainError, Unavailable
from graphql_api.compiler.arguments import Bound
from graphql_api.compiler.fallback import Fallback, NotCompilable
from graphql_api.compiler.plan import Plan, plan_of
from graphql_api.compiler.selections import Switches, switches_of
from graphql_api.context import Context
from graphql_api.errors import describe_all
from graphql_api.execution.documents import Document
from graphql_api.execution.query_cost import name_of
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response

MAX_PLANS: Final = 16
"""Of one document: its operations, times the ways in which their directives can fall."""

_log: Final = logging.getLogger("taskriver.execution")


class CompiledExecutor:
    """Plans of the documents that were sent more than once, and how they are run.

    *strict* and *at_first_request* are for tests. A strict plan that fails raises, instead of being logged and answered
    by the general executor. At the first request a plan costs more than it saves, unless the plan is what is tested.
    """

    def __init__(self, schema: GraphQLSchema, *, strict: bool = False, at_first_request: bool = False) -> None:
        self._schema = schema
        self._strict = strict
        self._at_first_request = at_first_request
        self.ran = self.left = 0
        """How many operations were run by a plan, and how many were left to the general executor."""

    async def execute(
        self, document: Document, operation: OperationDefinitionNode, request: OperationRequest, context: Context
    ) -> Response | None:
        """The response; None if nothing was done, and it is for the general executor to give."""
        plan = self._plan(document, operation, request.variables)
        response = await self._answer(plan, request, context) if plan is not None else None
        if response is None:
            self.left += 1
        else:
            self.ran += 1
        return response

    async def _answer(self, plan: Plan, request: OperationRequest, context: Context) -> Response | None:
        try:
            plan.check_permissions(context.facts)
            bound = plan.variables.bind(request.variables)
            if plan.changes:
                return await _change(plan, bound, request.extensions, context)
            return Response({"data": await _read(plan, bound, context)})
        except Unavailable as error:
            # Nobody else could read now, either: to try would only make the client wait for the same answer.
            return _unanswered(plan, error, context.facts.request_id)
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
        name = name_of(operation)
        switches = document.switches.get(name)
        if switches is None:
            switches = document.switches[name] = switches_of(document.ast, operation)
        settings = tuple([variables.get(each, default) for each, default in switches]) if switches else ()
        if settings and any(type(setting) is not bool for setting in settings):
            return None
        key = (name, settings)
        if key not in document.plans:
            if len(document.plans) >= MAX_PLANS:
                document.plans.clear()
            named = {each: setting for (each, _), setting in zip(switches, settings, strict=True)}
            document.plans[key] = self._planned(document, operation, named)
        found: Plan | None = document.plans[key]
        return found

    def _planned(self, document: Document, operation: OperationDefinitionNode, switches: Switches) -> Plan | None:
        try:
            return plan_of(self._schema, document.ast, operation, switches)
        except NotCompilable:
            return None


async def _read(plan: Plan, bound: Bound, context: Context) -> dict[str, Any]:
    if not plan.steps:
        return dict(plan.written)
    actor = _actor(context)
    async with context.reading() as reading:
        try:
            found = {key: await step.run(reading, actor, bound) for key, step in plan.steps.items()}
        except (Fallback, DomainError) as reason:
            left = reason  # told outside: a connection that an error passed by is not used again
        else:
            return _in_order(plan, found)
    raise left


async def _change(plan: Plan, bound: Bound, extensions: Mapping[str, Any], context: Context) -> Response:
    identity = context.facts.identity
    actor = identity.actor if identity is not None else None  # who is nobody can sign in
    arguments = {key: step.arguments.bind(bound) for key, step in plan.changes.items()}
    # From here on nothing may be left to the general executor: it would make the changes again.
    found: dict[str, Any] = {}
    errors: list[Exception] = []
    for key, step in plan.changes.items():
        told = await step.run(context, actor, arguments[key], extensions)
        found[key] = told.value
        errors.extend(told.errors)
    body: dict[str, Any] = {"data": _in_order(plan, found)}
    return Response(body | {"errors": describe_all(errors, request_id=context.facts.request_id)} if errors else body)


def _actor(context: Context) -> Actor:
    identity = context.facts.identity
    if identity is None:
        raise Fallback
    return identity.actor


def _in_order(plan: Plan, found: dict[str, Any]) -> dict[str, Any]:
    return {key: plan.written.get(key) or found[key] for key in plan.fields} if plan.written else found


def _unanswered(plan: Plan, error: Unavailable, request_id: str) -> Response:
    """What the general executor answers when no field of the root can be read."""
    fields = {key: field for key, field in plan.fields.items() if key not in plan.written}
    errors = [located_error(error, list(field.nodes), [key]) for key, field in fields.items()]
    whole = all(field.nullable for field in fields.values())
    data = {key: plan.written.get(key) for key in plan.fields} if whole else None
    return Response({"data": data, "errors": describe_all(errors, request_id=request_id)})
