"""Members of projects: added, changed and removed."""

import strawberry

from graphql_api.auth.permissions import PROJECTS_MANAGE
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation
from graphql_api.schema.ids import decode_id_of, encode_id
from graphql_api.schema.membership import (
    AddMemberInput,
    AddMemberPayload,
    LeaveProjectInput,
    LeaveProjectPayload,
    Membership,
    RemoveMemberInput,
    RemoveMemberPayload,
    SetMemberRoleInput,
    SetMemberRolePayload,
)
from services import membership as membership_service


@strawberry.type
class MembershipMutations:
    """Fields of Mutation."""

    @mutation(PROJECTS_MANAGE, "Add a user to a project of which you are a manager. Admins: to every project.")
    async def add_member(self, field: FieldContext, input: AddMemberInput) -> AddMemberPayload | None:
        """One service call."""
        row = await membership_service.add_member(
            field.idempotent_unit_of_work(),
            project_id=decode_id_of("Project", input.project_id, field="projectId"),
            user_id=decode_id_of("User", input.user_id, field="userId"),
            role=input.role,
        )
        return AddMemberPayload(membership=Membership.of(row))

    @mutation(
        PROJECTS_MANAGE,
        "Change the role of a member of a project of which you are a manager. Admins: of every project.",
    )
    async def set_member_role(self, field: FieldContext, input: SetMemberRoleInput) -> SetMemberRolePayload | None:
        """One service call."""
        row = await membership_service.set_member_role(
            field.idempotent_unit_of_work(),
            project_id=decode_id_of("Project", input.project_id, field="projectId"),
            user_id=decode_id_of("User", input.user_id, field="userId"),
            role=input.role,
        )
        return SetMemberRolePayload(membership=Membership.of(row))

    @mutation(PROJECTS_MANAGE, "Remove a member from a project of which you are a manager. Admins: from every project.")
    async def remove_member(self, field: FieldContext, input: RemoveMemberInput) -> RemoveMemberPayload | None:
        """One service call."""
        row_id = await membership_service.remove_member(
            field.idempotent_unit_of_work(),
            project_id=decode_id_of("Project", input.project_id, field="projectId"),
            user_id=decode_id_of("User", input.user_id, field="userId"),
        )
        return RemoveMemberPayload(deleted_membership_id=encode_id("Membership", row_id))

    @mutation(PROJECTS_MANAGE, "Leave a project, also an archived one. The last active manager cannot leave.")
    async def leave_project(self, field: FieldContext, input: LeaveProjectInput) -> LeaveProjectPayload | None:
        """One service call."""
        row_id = await membership_service.leave_project(
            field.idempotent_unit_of_work(),
            project_id=decode_id_of("Project", input.project_id, field="projectId"),
        )
        return LeaveProjectPayload(deleted_membership_id=encode_id("Membership", row_id))
