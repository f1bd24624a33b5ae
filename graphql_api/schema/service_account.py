"""GraphQL types for service accounts."""

import strawberry

from graphql_api.schema.common import Payload
from graphql_api.schema.enums import ProjectRole, Role
from graphql_api.schema.user import User


@strawberry.input(description="A new service account.")
class CreateServiceAccountInput:
    """Input of `createServiceAccount`."""

    username: str = strawberry.field(description="Its name; the rules are the same as for `register`.")
    project_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of a project of which you are a manager. The account is in this project only, and its "
        "managers manage it. Null or left out: admins manage it, and only they may create it.",
    )
    project_role: ProjectRole = strawberry.field(
        default=ProjectRole.MEMBER,
        description="Its role in the project, if it belongs to one. If it is left out: MEMBER.",
    )
    role: Role = strawberry.field(
        default=Role.USER, description="Its role. In a project it is USER. If it is left out: USER."
    )


@strawberry.type(description="The result of `createServiceAccount`.")
class CreateServiceAccountPayload(Payload):
    """Payload of `createServiceAccount`."""

    user: User | None = strawberry.field(default=None, description="The new service account, without any token.")
