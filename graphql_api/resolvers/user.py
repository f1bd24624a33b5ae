"""Users: asked for and changed."""

from typing import Annotated

import strawberry

from domain.actor import Actor
from domain.errors import BadRequest
from graphql_api.auth.permissions import ADMIN, PUBLIC, SIGNED_IN
from graphql_api.resolvers.fields import mutation, query
from graphql_api.schema.common import After, Before, First, Info, Last, parts_of
from graphql_api.schema.ids import decode_id_of
from graphql_api.schema.resolves_to import Change, Connection, Many, One, Paged
from graphql_api.schema.user import (
    ChangePasswordInput,
    ChangePasswordPayload,
    RegisterInput,
    RegisterPayload,
    SetUserActiveInput,
    SetUserActivePayload,
    SetUserRoleInput,
    SetUserRolePayload,
    User,
    UserConnection,
    oneself,
)
from persistence.pagination import PageRequest, Part
from persistence.queries import user as reads
from persistence.queries.query import Query
from services import user as user_service
from services.user import MAX_ASSIGNABLE

Search = Annotated[str, strawberry.argument(description="What the username begins with, ignoring case; empty: all.")]
FirstAssignable = Annotated[int, strawberry.argument(description=f"How many at most, 1 to {MAX_ASSIGNABLE}.")]


def _me(actor: Actor) -> Query:
    return reads.user(actor.user_id)


def _user(actor: Actor, id: str) -> Query:
    return reads.user(decode_id_of("User", id, field="id"))


def _users(
    actor: Actor, parts: frozenset[Part], first: int | None, after: str | None, last: int | None, before: str | None
) -> Paged:
    request = PageRequest.of(first, after, last, before, order=reads.USER_ORDER, parts=parts)
    return Paged(reads.user_page(request), request, reads.user_cursor)


def _assignable_users(actor: Actor, search: str, first: int) -> Query:
    _check_assignable(first)
    return reads.assignable_users(search, at_most=first)


def _check_assignable(first: int) -> None:
    if not 1 <= first <= MAX_ASSIGNABLE:
        raise BadRequest(f"first must be 1 to {MAX_ASSIGNABLE}, not {first}.")


@strawberry.type
class UserQueries:
    """Fields of Query."""

    @query(SIGNED_IN, "Who you are.", One(_me))
    async def me(self, info: Info) -> User:
        """The actor's own row."""
        return User.of(await user_service.get_user(info.context.unit_of_work(), user_id=info.context.actor.user_id))

    @query(SIGNED_IN, "One user; null if there is none.", One(_user))
    async def user(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which one.")]
    ) -> User | None:
        """By id."""
        row = await user_service.get_user(info.context.unit_of_work(), user_id=decode_id_of("User", id, field="id"))
        return User.of(row)

    @query(ADMIN, "All users, page by page, the newest first.", Connection(_users))
    async def users(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> UserConnection | None:
        """By keyset."""
        request = PageRequest.of(first, after, last, before, order=reads.USER_ORDER, parts=parts_of(info))
        return UserConnection.of(await user_service.list_users(info.context.unit_of_work(), request=request))

    @query(SIGNED_IN, "Active users whom a task can be given to, by name.", Many(_assignable_users))
    async def assignable_users(self, info: Info, search: Search = "", first: FirstAssignable = 20) -> list[User]:
        """By prefix."""
        _check_assignable(first)
        rows = await user_service.list_assignable_users(info.context.unit_of_work(), prefix=search, at_most=first)
        return [User.of(row) for row in rows]


@strawberry.type
class UserMutations:
    """Fields of Mutation."""

    @mutation(PUBLIC, "Create a user of role USER for yourself; then `login`.", Change(oneself))
    async def register(self, info: Info, input: RegisterInput) -> RegisterPayload | None:
        """One call of the accounts."""
        context = info.context
        row = await context.backend.accounts.register(
            context.facts.client,
            username=input.username,
            email=input.email,
            password=input.password,
            request_id=context.request_id,
        )
        return RegisterPayload(user=User.of(row, is_oneself=True))

    @mutation(SIGNED_IN, "Change your password; all your other sessions end within a second.")
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordPayload | None:
        """One call of the accounts."""
        context = info.context
        row = await context.backend.accounts.change_password(
            context.actor,
            context.facts.client,
            current_password=input.current_password,
            new_password=input.new_password,
            request_id=context.request_id,
        )
        return ChangePasswordPayload(user=User.of(row))

    @mutation(ADMIN, "Give a user another role; it holds within a second, on open sockets too.")
    async def set_user_role(self, info: Info, input: SetUserRoleInput) -> SetUserRolePayload | None:
        """One service call."""
        row = await user_service.set_user_role(
            info.context.unit_of_work(), user_id=decode_id_of("User", input.user_id, field="userId"), role=input.role
        )
        return SetUserRolePayload(user=User.of(row))

    @mutation(ADMIN, "Let a user in, or cut them off; holds within a second, on open sockets too.")
    async def set_user_active(self, info: Info, input: SetUserActiveInput) -> SetUserActivePayload | None:
        """One service call."""
        row = await user_service.set_user_active(
            info.context.unit_of_work(),
            user_id=decode_id_of("User", input.user_id, field="userId"),
            is_active=input.is_active,
        )
        return SetUserActivePayload(user=User.of(row))
