"""Service accounts: created and listed. Their tokens are in `access_token`."""

from typing import Annotated

import strawberry

from domain.actor import Actor
from domain.service_account import MAX_LISTED
from graphql_api.auth.permissions import SESSION
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query
from graphql_api.schema.ids import optional_id_of
from graphql_api.schema.resolves_to import Many
from graphql_api.schema.service_account import CreateServiceAccountInput, CreateServiceAccountPayload
from graphql_api.schema.user import User
from persistence.queries import user as reads
from persistence.queries.query import Query
from services import service_account as service_account_service

ProjectId = Annotated[
    strawberry.ID | None, strawberry.argument(description="A project. Null or left out: all that you manage.")
]


def _managed(actor: Actor, project_id: ProjectId = None) -> Query:
    return reads.service_accounts(actor, optional_id_of("Project", project_id, field="projectId"))


@strawberry.type
class ServiceAccountQueries:
    """Fields of Query."""

    service_accounts = query(
        SESSION,
        "The service accounts of the projects of which you are a manager; for admins, all. The newest first, at most "
        f"{MAX_LISTED:,}.",
        Many(User, _managed),
    )


@strawberry.type
class ServiceAccountMutations:
    """Fields of Mutation."""

    @mutation(
        SESSION,
        "Create a service account: a user that is a program. It never signs in, and acts with tokens that you "
        "create with `createAccessToken`.",
    )
    async def create_service_account(
        self, field: FieldContext, input: CreateServiceAccountInput
    ) -> CreateServiceAccountPayload | None:
        """One service call."""
        row = await service_account_service.create_service_account(
            field.idempotent_unit_of_work(),
            username=input.username,
            project_id=optional_id_of("Project", input.project_id, field="projectId"),
            project_role=input.project_role,
            role=input.role,
        )
        return CreateServiceAccountPayload(user=User.of(row))
