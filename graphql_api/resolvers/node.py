"""Anything by its id alone (Relay's `node` and `nodes`)."""

import asyncio
from typing import Annotated, Final

import strawberry

from domain.errors import BadRequest
from graphql_api.auth.permissions import SIGNED_IN
from graphql_api.resolvers.fields import query
from graphql_api.resolvers.session import own_sessions
from graphql_api.schema.common import Info, Node
from graphql_api.schema.ids import decode_id
from graphql_api.schema.session import Session
from graphql_api.schema.stands_for import AnyNode
from graphql_api.schema.task import Task
from graphql_api.schema.user import User
from persistence.pages import MAX_FIRST
from persistence.reads import task as reads_of_tasks
from persistence.reads import user as reads_of_users

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
        return await _find(info, id)

    @query(SIGNED_IN, "Objects by their ids, in that order; null for each that is not there or not for you.", _NODE)
    async def nodes(self, info: Info, ids: Ids) -> list[Node | None]:
        """Several, batched."""
        if len(ids) > MAX_FIRST:
            raise BadRequest(f"At most {MAX_FIRST} ids at a time, not {len(ids)}.")
        return list(await asyncio.gather(*(_find(info, each) for each in ids)))


async def _find(info: Info, text: str) -> Node | None:
    kind, identity = decode_id(text)
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
