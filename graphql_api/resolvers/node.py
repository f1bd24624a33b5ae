"""Anything by its id alone (Relay's `node` and `nodes`)."""

import asyncio
from typing import Annotated

import strawberry

from domain.errors import BadRequest
from graphql_api.auth.permissions import SIGNED_IN
from graphql_api.resolvers.fields import query
from graphql_api.schema.common import Info, Node
from graphql_api.schema.ids import decode_id
from graphql_api.schema.session import Session
from graphql_api.schema.task import Task
from graphql_api.schema.user import User
from persistence.pages import MAX_FIRST

Ids = Annotated[list[strawberry.ID], strawberry.argument(description=f"Which ones, at most {MAX_FIRST}.")]


@strawberry.type
class NodeQueries:
    """Fields of Query."""

    @query(SIGNED_IN, "Any object by its id; null if there is none, or you may not see it.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which one.")]
    ) -> Node | None:
        """One."""
        return await _find(info, id)

    @query(SIGNED_IN, "Objects by their ids, in that order; null for each that is not there or not for you.")
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
