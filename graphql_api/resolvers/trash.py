"""Deleted tasks: asked for and restored."""

from typing import Annotated

import strawberry

from domain.actor import Actor
from graphql_api.auth.permissions import TASKS_WRITE
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query
from graphql_api.schema.common import After, Before, First, Last
from graphql_api.schema.ids import decode_id_of, optional_id_of
from graphql_api.schema.resolves_to import Connection
from graphql_api.schema.task import Task
from graphql_api.schema.trash import DeletedTaskConnection, RestoreTaskInput, RestoreTaskPayload
from persistence.pagination import PageRequest, Part
from persistence.queries import trash as reads
from persistence.queries.query import Paged
from services.trash import restore_task

ProjectId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The id of a project. Null or left out: personal tasks that you deleted."),
]


def _trash(
    actor: Actor,
    parts: frozenset[Part],
    project_id: ProjectId = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Paged:
    request = PageRequest.of(first, after, last, before, order=reads.TRASH_ORDER, parts=parts)
    return reads.trash_page(actor, request, optional_id_of("Project", project_id, field="projectId"))


@strawberry.type
class TrashQueries:
    """Fields of Query."""

    trash = query(
        TASKS_WRITE,
        "The deleted tasks that you may restore: those of a project of which you are a manager, or your own personal "
        "ones. They are removed for good after some time, which the operator sets (TRASH_DAYS).",
        Connection(DeletedTaskConnection, _trash),
    )


@strawberry.type
class TrashMutations:
    """Fields of Mutation."""

    @mutation(
        TASKS_WRITE,
        "Restore a deleted task, with its comments, labels and subtasks: a personal task that you owned and deleted "
        "or, as MANAGER, a task of a project. Moderators and admins: every task.",
    )
    async def restore_task(self, field: FieldContext, input: RestoreTaskInput) -> RestoreTaskPayload | None:
        """One service call."""
        uow = field.idempotent_unit_of_work()
        row = await restore_task(uow, task_id=decode_id_of("Task", input.id, field="id"))
        return RestoreTaskPayload(task=Task.of(row))
