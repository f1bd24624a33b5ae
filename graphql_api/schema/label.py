"""GraphQL types for labels."""

from datetime import datetime
from typing import ClassVar

import strawberry

from domain.label import MAX_NAME
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.connections import connection
from persistence.models import LabelRow

_NAME = f"1 to {MAX_NAME} characters. No other label of the project has it, ignoring case."
_COLOR = "A color: # and six hexadecimal digits, such as #1a7f37."
_EXPECTED_VERSION = (
    "Makes the change only if the label has this version; otherwise the error code is CONFLICT. "
    "Null or left out: the version is not checked."
)


@strawberry.type(description="A label of a project.")
class Label(Node):
    """A label."""

    model: ClassVar = LabelRow
    name: str = strawberry.field(description=_NAME)
    color: str = strawberry.field(description="The color: # and six hexadecimal digits in lower case.")
    version: int = strawberry.field(description="The version of the label. It grows by one with every change.")
    created_at: datetime = strawberry.field(description="When the label was created.")
    updated_at: datetime = strawberry.field(description="When the label was last changed.")


LabelConnection = connection(Label, "Label", "A page of labels, by name.", edge="A label in a list.", item="label")


@strawberry.input(description="A new label of a project.")
class CreateLabelInput:
    """Input of `createLabel`."""

    project_id: strawberry.ID = strawberry.field(description="The id of the project.")
    name: str = strawberry.field(description=_NAME)
    color: str = strawberry.field(description=_COLOR)


@strawberry.input(description="The changes of a label. A field that is left out stays as it is.")
class UpdateLabelInput:
    """Input of `updateLabel`."""

    id: strawberry.ID = strawberry.field(description="The id of the label.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description=f"{_NAME} Must not be null.")
    color: str | None = strawberry.field(default=strawberry.UNSET, description=f"{_COLOR} Must not be null.")
    expected_version: int | None = strawberry.field(default=None, description=_EXPECTED_VERSION)


@strawberry.input(description="The label to delete.")
class DeleteLabelInput:
    """Input of `deleteLabel`."""

    id: strawberry.ID = strawberry.field(description="The id of the label.")
    expected_version: int | None = strawberry.field(default=None, description=_EXPECTED_VERSION)


@strawberry.type
class ChangedLabel(Payload):
    """A payload with the label after the change."""

    label: Label | None = strawberry.field(default=None, description="The label after the change.")


@strawberry.type(description="The result of `createLabel`.")
class CreateLabelPayload(ChangedLabel):
    """Payload of `createLabel`."""


@strawberry.type(description="The result of `updateLabel`.")
class UpdateLabelPayload(ChangedLabel):
    """Payload of `updateLabel`."""


@strawberry.type(description="The result of `deleteLabel`.")
class DeleteLabelPayload(Payload):
    """Payload of `deleteLabel`."""

    deleted_label_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the deleted label.")
