"""Labels of projects: created, changed and deleted."""

import strawberry

from graphql_api.auth.permissions import PROJECTS_MANAGE
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation
from graphql_api.resolvers.optional_inputs import never_null
from graphql_api.schema.ids import decode_id_of, encode_id
from graphql_api.schema.label import (
    CreateLabelInput,
    CreateLabelPayload,
    DeleteLabelInput,
    DeleteLabelPayload,
    Label,
    UpdateLabelInput,
    UpdateLabelPayload,
)
from services import label as label_service


@strawberry.type
class LabelMutations:
    """Fields of Mutation."""

    @mutation(PROJECTS_MANAGE, "Add a label to a project of which you are a manager. Admins: to every project.")
    async def create_label(self, field: FieldContext, input: CreateLabelInput) -> CreateLabelPayload | None:
        """One service call."""
        row = await label_service.create_label(
            field.idempotent_unit_of_work(),
            project_id=decode_id_of("Project", input.project_id, field="projectId"),
            name=input.name,
            color=input.color,
        )
        return CreateLabelPayload(label=Label.of(row))

    @mutation(PROJECTS_MANAGE, "Change a label of a project of which you are a manager. Admins: of every project.")
    async def update_label(self, field: FieldContext, input: UpdateLabelInput) -> UpdateLabelPayload | None:
        """One service call."""
        row = await label_service.update_label(
            field.idempotent_unit_of_work(),
            label_id=decode_id_of("Label", input.id, field="id"),
            name=never_null(input.name, "name"),
            color=never_null(input.color, "color"),
            expected_version=input.expected_version,
        )
        return UpdateLabelPayload(label=Label.of(row))

    @mutation(
        PROJECTS_MANAGE,
        "Delete a label of a project of which you are a manager. Its tasks lose the label. Admins: of every project.",
    )
    async def delete_label(self, field: FieldContext, input: DeleteLabelInput) -> DeleteLabelPayload | None:
        """One service call."""
        label_id = await label_service.delete_label(
            field.idempotent_unit_of_work(),
            label_id=decode_id_of("Label", input.id, field="id"),
            expected_version=input.expected_version,
        )
        return DeleteLabelPayload(deleted_label_id=encode_id("Label", label_id))
