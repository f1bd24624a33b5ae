"""Users: asked for and changed."""

from typing import Annotated, Final

import strawberry

from domain.actor import Actor
from domain.errors import BadRequest
from graphql_api.auth.permissions import ADMIN, PUBLIC, SESSION, SIGNED_IN, TASKS_READ
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query
from graphql_api.schema.common import After, Before, First, Id, Last
from graphql_api.schema.ids import decode_id_of, optional_id_of
from graphql_api.schema.resolves_to import Connection, Many, One
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
    current_user,
    user_as_viewer,
)
from graphql_api.schema.user_deletion import DeleteUserInput, DeleteUserPayload
from persistence.pagination import PageRequest, Part
from persistence.queries import user as reads
from persistence.queries.query import Paged, Query
from services import user as user_service

MAX_ASSIGNABLE: Final = 50

Search = Annotated[str, strawberry.argument(description="The start of the username, ignoring case. Empty: all.")]
FirstAssignable = Annotated[
    int, strawberry.argument(description=f"The maximum number of users, 1 to {MAX_ASSIGNABLE}.")
]
ProjectId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="A project: only its members. Null or left out: all active users, or if the installation says so, "
        "only those who share a project with you."
    ),
]


def _me(actor: Actor) -> Query:
    return reads.user(actor.user_id)


def _user(actor: Actor, id: Id) -> Query:
    return reads.user(decode_id_of("User", id, field="id"))


def _users(
    actor: Actor,
    parts: frozenset[Part],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    search: Search = "",
) -> Paged:
    return reads.user_page(PageRequest.of(first, after, last, before, order=reads.USER_ORDER, parts=parts), search)


def _assignable_users(
    actor: Actor, search: Search = "", first: FirstAssignable = 20, project_id: ProjectId = None
) -> Query:
    if not 1 <= first <= MAX_ASSIGNABLE:
        raise BadRequest(f"first must be 1 to {MAX_ASSIGNABLE}, not {first}.")
    project = optional_id_of("Project", project_id, field="projectId")
    return reads.assignable_users(actor, search, project_id=project, at_most=first)


@strawberry.type
class UserQueries:
    """Fields of Query."""

    me = query(SIGNED_IN, "The user who is signed in.", One(User, _me))
    user = query(SIGNED_IN, "A user by their id. Null if the user does not exist.", One(User, _user, nullable=True))
    users = query(ADMIN, "All users in pages, newest first.", Connection(UserConnection, _users, nullable=True))
    assignable_users = query(
        TASKS_READ,
        "Active users to whom a task can be assigned, sorted by username. "
        "A task of a project can be assigned to its members.",
        Many(User, _assignable_users),
    )


@strawberry.type
class UserMutations:
    """Fields of Mutation."""

    @mutation(
        PUBLIC,
        "Create a user account with the role USER, or with that of an invitation, if the server permits it. Then use "
        "`login`. If the server sends e-mail, a link that verifies the address is mailed.",
        viewer=current_user,
    )
    async def register(self, field: FieldContext, input: RegisterInput) -> RegisterPayload | None:
        """One call of the accounts."""
        context = field.context
        row = await context.backend.accounts.register(
            context.request.client,
            username=input.username,
            email=input.email,
            password=input.password,
            invitation=input.invitation,
            request_id=context.request_id,
        )
        return RegisterPayload(user=user_as_viewer(row, context.backend.project_creation))

    @mutation(SESSION, "Change your password. All your other sessions end within a second.")
    async def change_password(self, field: FieldContext, input: ChangePasswordInput) -> ChangePasswordPayload | None:
        """One call of the accounts."""
        context = field.context
        row = await context.backend.accounts.change_password(
            context.actor,
            context.request.client,
            current_password=input.current_password,
            new_password=input.new_password,
            request_id=context.request_id,
        )
        return ChangePasswordPayload(user=User.of(row))

    @mutation(ADMIN, "Change the role of a user. It takes effect within a second, also on open connections.")
    async def set_user_role(self, field: FieldContext, input: SetUserRoleInput) -> SetUserRolePayload | None:
        """One service call."""
        row = await user_service.set_user_role(
            field.context.unit_of_work(), user_id=decode_id_of("User", input.user_id, field="userId"), role=input.role
        )
        return SetUserRolePayload(user=User.of(row))

    @mutation(ADMIN, "Enable or disable a user. It takes effect within a second, also on open connections.")
    async def set_user_active(self, field: FieldContext, input: SetUserActiveInput) -> SetUserActivePayload | None:
        """One service call."""
        row = await user_service.set_user_active(
            field.context.unit_of_work(),
            user_id=decode_id_of("User", input.user_id, field="userId"),
            is_active=input.is_active,
        )
        return SetUserActivePayload(user=User.of(row))

    @mutation(
        SESSION,
        "Delete a user: yourself, or as an admin any user. All sessions and tokens of the user end within a second, "
        "and the name is replaced by a placeholder. It cannot be undone.",
    )
    async def delete_user(self, field: FieldContext, input: DeleteUserInput) -> DeleteUserPayload | None:
        """One call of the accounts."""
        context = field.context
        user_id = decode_id_of("User", input.user_id, field="userId")
        deletion = await context.backend.accounts.delete_user(
            context.unit_of_work(),
            context.request.client,
            user_id=user_id,
            tasks_to=optional_id_of("User", input.transfer_tasks_to, field="transferTasksTo"),
            deletes_tasks=input.delete_tasks,
            current_password=input.current_password,
        )
        if user_id == context.actor.user_id:
            context.drop_refresh_cookie()
        return DeleteUserPayload.done(deletion)
