"""One execution for all who would be told the same of an event.

Subscribers of one operation who look at an event from the same place get the same bytes: executed and written once,
and kept for a while for those who come late. An operation is its document, the variables that its answers depend on,
and what was sent along; a selection of anything personal is executed for each person.
"""

from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from hashlib import sha256
from typing import Any, Final

import orjson
from graphql import ExecutionResult, GraphQLSchema

from graphql_api.execution.bounded import Bounded
from graphql_api.execution.documents import Document
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response, from_result
from graphql_api.execution.selection import selection_of
from graphql_api.realtime.run import Run
from graphql_api.resolvers.telling import Telling
from graphql_api.schema.viewer import Viewer

MAX_KEPT: Final = 1_000
MAX_BYTES: Final = 8 * 1024 * 1024
_WEIGHT: Final = 4
"""Bytes in memory for each byte of JSON: the answer is kept as values, too."""

Execute = Callable[[], Awaitable[ExecutionResult]]


class Shared:
    """What was executed lately, and what is being executed, for all subscribers of this process."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._running: dict[Hashable, Run[Response]] = {}
        self._kept: Bounded[Response] = Bounded(max_count=MAX_KEPT, max_bytes=MAX_BYTES)
        self.executed = self.reused = 0
        """How many answers were executed, and how many were handed on."""

    def group(self, request: OperationRequest, document: Document) -> "Group":
        """Those who listen with the same operation."""
        selection = selection_of(self._schema, document.ast, document.operation(request.operation_name))
        used = {name: request.variables[name] for name in selection.variables if name in request.variables}
        personal = selection.viewer is Viewer.PERSON
        return Group(
            self, _digest(document.text, request.operation_name, [used, request.extensions]), personal=personal
        )

    def kept(self, key: Hashable) -> Response | None:
        """The answer for this key, if it was given lately."""
        found = self._kept.get(key)
        if found is not None:
            self.reused += 1
        return found

    def begun(self, key: Hashable, execute: Execute, request_id: str) -> "Response | Run[Response]":
        """The answer for this key if it is kept, or what is under way to it, if only since now."""
        found = self.kept(key)
        if found is not None:
            return found
        run = self._running.get(key)
        if run is None or run.stopped:
            run = self._running[key] = Run(self._execute(key, execute, request_id), partial(self._ended, key))
        else:
            self.reused += 1
        return run

    async def _execute(self, key: Hashable, execute: Execute, request_id: str) -> Response:
        self.executed += 1
        response = _written(from_result(await execute(), request_id=request_id), request_id)
        self._kept.put(key, response, size=_WEIGHT * len(response.written or b""))
        return response

    def _ended(self, key: Hashable, run: Run[Response]) -> None:
        # One that was stopped may have been followed by another before it got to its end.
        if self._running.get(key) is run:
            del self._running[key]


class Group:
    """All who listen with one operation."""

    def __init__(self, shared: Shared, operation: Hashable, *, personal: bool) -> None:
        self._shared = shared
        self._operation = operation
        self.share = operation if not personal else None
        """Groups with an equal one answer alike to who looks from the same place."""

    def kept(self, telling: Telling) -> Response | None:
        """What the operation answered to somebody else who was told the same."""
        return self._shared.kept(self._key(telling)) if telling.viewpoint is not None else None

    def _key(self, telling: Telling) -> Hashable:
        return self._operation, telling.viewpoint, telling.viewer if self.share is None else None

    def begun(self, telling: Telling, execute: Execute, request_id: str) -> Response | Run[Response]:
        """What the operation answers to a telling that is like others, if it is there, or what is under way to it."""
        return self._shared.begun(self._key(telling), execute, request_id)

    async def answer(self, telling: Telling, execute: Execute, request_id: str) -> Response:
        """What the operation answers to a telling; *execute* is called if nobody has seen it so yet."""
        if telling.viewpoint is None:
            return from_result(await execute(), request_id=request_id)
        found = self.begun(telling, execute, request_id)
        return found if isinstance(found, Response) else await found.result()


def _digest(text: str, operation_name: str | None, sent: list[Any]) -> bytes:
    """Stands for an operation in keys, which are kept: whatever clients send with it, it has 32 bytes."""
    digest = sha256(orjson.dumps([operation_name, sent], option=orjson.OPT_SORT_KEYS))
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()


def _written(response: Response, request_id: str) -> Response:
    return Response(response.body, response.to_json(request_id=request_id))


def root_value(event: Any) -> Any:
    """What the root field of an event's execution is given."""
    return event.make() if isinstance(event, Telling) else event
