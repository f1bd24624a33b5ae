"""The editable fields of a task: declared once, each with its check, its change and its permission."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

import pytest

from domain import policy
from domain.errors import Forbidden
from domain.events import TaskChange
from domain.label import check_label_ids
from domain.policy import Action
from domain.task import TaskPriority, TaskStatus, check_description, check_due_at, check_title
from domain.user import Role
from persistence.models import TaskRow
from services.task import update_task
from services.task_edit import EDITABLE, EditableField, TaskEdit, editable_fields, permissions_of
from services.unset import UNSET, UnsetType
from tests.support.builders import Builders

TITLE = EDITABLE["title"]
VALUES: dict[str, Any] = {
    "title": "Other",
    "description": "Other",
    "status": TaskStatus.IN_PROGRESS,
    "completed": True,
    "priority": TaskPriority.URGENT,
    "due_at": None,
    "assignee_id": None,
    "label_ids": [],
}


def declared(kind: type[Any]) -> type[Any]:
    """A class of fields, as `TaskEdit` is one."""
    return dataclass(frozen=True, slots=True)(kind)


OTHER_CHANGES = {
    TaskChange.CREATED,
    TaskChange.OWNER,
    TaskChange.DELETED,
    TaskChange.RESTORED,
    TaskChange.RANK,
    TaskChange.PARENT,
    TaskChange.PROJECT,
}
"""What no field of an edit changes."""


class TestDeclaration:
    def test_the_declarations_of_fields(self):
        """The check, the change and the permission of every field."""
        assert {name: (each.change, each.permission, each.check) for name, each in EDITABLE.items()} == {
            "title": (TaskChange.TITLE, Action.UPDATE_TASK, check_title),
            "description": (TaskChange.DESCRIPTION, Action.UPDATE_TASK, check_description),
            "status": (TaskChange.STATUS, Action.CHANGE_STATUS, None),
            "completed": (TaskChange.STATUS, Action.CHANGE_STATUS, None),
            "priority": (TaskChange.PRIORITY, Action.UPDATE_TASK, None),
            "due_at": (TaskChange.DUE_AT, Action.UPDATE_TASK, check_due_at),
            "assignee_id": (TaskChange.ASSIGNEE, Action.ASSIGN_TASK, None),
            "label_ids": (TaskChange.LABELS, Action.UPDATE_TASK, check_label_ids),
        }

    def test_every_field_of_an_edit_is_in_the_table(self):
        """The table has the fields of the class, in its order, and each but `completed` is a column."""
        assert [*EDITABLE] == [each.name for each in fields(TaskEdit)]
        assert EDITABLE.keys() - TaskRow.__table__.columns.keys() == {"completed"}

    def test_every_change_belongs_to_a_field(self):
        """Except changes of a whole task and of its place."""
        assert {each.change for each in EDITABLE.values()} == set(TaskChange) - OTHER_CHANGES

    @pytest.mark.parametrize("left_out", ["change", "permission", "check"])
    def test_a_field_cannot_be_declared_in_part(self, left_out: str):
        """Without its change, permission or check a field is a TypeError at import."""
        parts: dict[str, Any] = {"change": TITLE.change, "permission": TITLE.permission, "check": None}
        del parts[left_out]
        with pytest.raises(TypeError, match=left_out):
            EditableField(**parts)

    def test_a_field_must_be_declared(self):
        """A field without a declaration is a TypeError at import."""

        class Edit:
            title: Annotated[str | UnsetType, TITLE] = UNSET
            note: str | UnsetType = UNSET

        with pytest.raises(TypeError, match="Annotate note with EditableField"):
            editable_fields(declared(Edit))

    def test_a_declared_field_is_in_the_table(self):
        """The declaration of a new field is all that the table needs."""

        class Edit:
            note: Annotated[str | UnsetType, TITLE] = UNSET

        assert editable_fields(declared(Edit)) == {"note": TITLE}


class TestPermissions:
    def test_an_edit_needs_those_of_its_fields(self):
        """Each permission once, in the order of the policy; an empty edit needs the one to change a task."""
        edit = TaskEdit(status=TaskStatus.DONE, title="Other", assignee_id=None, due_at=None)
        assert permissions_of(edit.checked()) == (Action.UPDATE_TASK, Action.CHANGE_STATUS, Action.ASSIGN_TASK)
        assert permissions_of(TaskEdit(completed=True).checked()) == (Action.CHANGE_STATUS,)
        assert permissions_of(TaskEdit().checked()) == (Action.UPDATE_TASK,)

    @pytest.mark.parametrize("field", EDITABLE)
    @pytest.mark.parametrize(("role", "is_assigned"), [(Role.USER, True), (Role.MODERATOR, False), (Role.ADMIN, False)])
    async def test_the_policy_decides_about_each_field(
        self, build: Builders, field: str, role: Role, is_assigned: bool
    ):
        """A user who sees a task changes exactly the allowed fields."""
        actor = await build.an_actor(role)
        task = await build.a_task(assignee_id=actor.user_id if is_assigned else None)
        edit = TaskEdit(**{field: VALUES[field]})
        if policy.may(actor, EDITABLE[field].permission, task):
            await update_task(build.as_(actor), task_id=task.id, edit=edit)
            return
        async with build.unchanged():
            with pytest.raises(Forbidden, match=EDITABLE[field].permission.value):
                await update_task(build.as_(actor), task_id=task.id, edit=edit)
