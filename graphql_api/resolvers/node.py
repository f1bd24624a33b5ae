"""Anything by its id alone (Relay's `node` and `nodes`)."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from domain.errors import BadRequest
from graphql_api.auth.permissions import SIGNED_IN
from graphql_api.resolvers.fields import query
from graphql_api.resolvers.session import own_sessions
from graphql_api.schema.common import Info, Node
from graphql_api.schema.ids import decode_id
from graphql_api.schema.resolves_to import AnyNode
from graphql_api.schema.session import Session
from graphql_api.schema.task import Task
from graphql_api.schema.user import User
from persistence.pagination import MAX_FIRST
from persistence.queries import task as reads_of_tasks
from persistence.queries import user as reads_of_users

Decoded = tuple[str, UUID]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description=f"Which ones, at most {MAX_FIRST}.")]


_NODE: Final = AnyNode(
    {
        "Task": reads_of_tasks.tasks,
        "User": lambda actor, ids: reads_of_users.users(ids),
        "Session": lambda actor, ids: own_sessions(actor),
    }
)


@strawberry.type
class NodeQueries:
    """Fields of Query."""

    @query(SIGNED_IN, "Any object by its id; null if there is none, or you may not see it.", _NODE)
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which one.")]
    ) -> Node | None:
        """One."""
        return await _find(info, *decode_id(id, field="id"))

    @query(
        SIGNED_IN,
        "Objects by their ids, in that order; null for each that is not there or not for you. For a malformed id there "
        "is null, too, and an error with its place in `path`.",
        _NODE,
    )
    async def nodes(self, info: Info, ids: Ids) -> list[Node | None]:
        """Several, batched."""
        if len(ids) > MAX_FIRST:
            raise BadRequest(f"At most {MAX_FIRST} ids at a time, not {len(ids)}.")
        wanted = [_decoded(place, text) for place, text in enumerate(ids)]
        found: list[Any] = await asyncio.gather(*(_find_or_report(info, each) for each in wanted))
        return found


def _decoded(place: int, text: str) -> Decoded | BadRequest:
    try:
        return decode_id(text, field=f"ids[{place}]")
    except BadRequest as error:
        return error


async def _find_or_report(info: Info, wanted: Decoded | BadRequest) -> Node | BadRequest | None:
    """The object; for a malformed id the error, which graphql-core reports at the entry's place."""
    return wanted if isinstance(wanted, BadRequest) else await _find(info, *wanted)


async def _find(info: Info, kind: str, identity: UUID) -> Node | None:
    if kind == "Task":
        task = await info.context.loaders.tasks.load(identity)
        return Task.of(task) if task is not None else None
    if kind == "User":
        user = await info.context.loaders.users.load(identity)
        return User.of(user) if user is not None else None
    if kind == "Session":
        session = await info.context.loaders.sessions.load(identity)
        is_current = identity == info.context.actor.session_id
        return Session.of(session, is_current=is_current) if session is not None else None
    return None
