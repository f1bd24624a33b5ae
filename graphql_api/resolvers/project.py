"""Projects: asked for and changed."""

from typing import Annotated, Final

import strawberry

from domain.actor import Actor
from domain.comment import CommentEvent
from domain.errors import BadRequest
from domain.events import MembershipEvent, ProjectEvent, TaskEvent
from graphql_api.auth.permissions import PROJECTS_MANAGE, TASKS_READ
from graphql_api.context import FieldContext
from graphql_api.resolvers.comment import comment_changed
from graphql_api.resolvers.fields import mutation, query, subscription
from graphql_api.resolvers.optional_inputs import given, never_null
from graphql_api.resolvers.stream import After as Since
from graphql_api.resolvers.stream import Source, listen, task_changed
from graphql_api.schema.common import After, Before, First, Last
from graphql_api.schema.ids import decode_id_of, encode_id
from graphql_api.schema.project import (
    ArchiveProjectInput,
    ArchiveProjectPayload,
    CreateProjectInput,
    CreateProjectPayload,
    DeleteProjectInput,
    DeleteProjectPayload,
    Project,
    ProjectConnection,
    UpdateProjectInput,
    UpdateProjectPayload,
)
from graphql_api.schema.resolves_to import Connection, One
from graphql_api.schema.stream import TaskStreamItem
from graphql_api.schema.task import Task
from persistence.pagination import PageRequest, Part
from persistence.queries import project as reads
from persistence.queries.query import Paged, Query
from services import project as project_service
from services.project_deletion import delete_project
from streaming.stream_items import Delivered
from streaming.visibility import StreamFilter

ProjectId = Annotated[strawberry.ID, strawberry.argument(description="The id of the project.")]
OptionalId = Annotated[strawberry.ID | None, strawberry.argument(description="The id of the project.")]
Key = Annotated[
    str | None, strawberry.argument(description="A key that the project has or had, in upper or lower case.")
]
IsArchived = Annotated[
    bool | None,
    strawberry.argument(description="True: archived projects. False: active projects. Null or left out: both."),
]


def _project(actor: Actor, id: OptionalId = None, key: Key = None) -> Query:
    if (id is None) is (key is None):
        raise BadRequest("Give either id or key.")
    if key is not None:
        return reads.project_by_key(actor, key)
    return reads.project(actor, decode_id_of("Project", id or strawberry.ID(""), field="id"))


def _projects(
    actor: Actor,
    parts: frozenset[Part],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    is_archived: IsArchived = None,
) -> Paged:
    request = PageRequest.of(first, after, last, before, order=reads.PROJECT_ORDER, parts=parts)
    return reads.project_page(actor, request, is_archived=is_archived)


@strawberry.type
class ProjectQueries:
    """Fields of Query."""

    project = query(
        TASKS_READ,
        "A project by its id or by a key. Null if it does not exist, or if you may not see it.",
        One(Project, _project, nullable=True),
    )
    projects = query(
        TASKS_READ,
        "The projects of which you are a member, by key, in pages. Moderators and admins: all projects.",
        Connection(ProjectConnection, _projects),
    )


_EVENTS: Final = frozenset({TaskEvent, CommentEvent, ProjectEvent, MembershipEvent})


@strawberry.type
class ProjectSubscriptions:
    """Fields of Subscription."""

    @subscription(
        TASKS_READ,
        "Receive everything that happens in a project, live and in one order: changes of its tasks, comments, labels "
        "and members, and of the project itself.",
    )
    async def project_changed(self, field: FieldContext, project_id: ProjectId, after: Since = None) -> Source:
        """Every change of the project and of what belongs to it."""
        wanted = decode_id_of("Project", project_id, field="projectId")
        async with field.context.unit_of_work() as uow:
            await uow.projects.get(wanted, path=("projectId",))
        in_project = StreamFilter(project_id=wanted)
        return listen(field.context, in_project, after, _item, events=_EVENTS, follows_projects=True)


def _item(item: Delivered, task: Task | None) -> TaskStreamItem:
    """The item for a change of a task, or of a comment on it."""
    return comment_changed(item, task) if isinstance(item.event, CommentEvent) else task_changed(item, task)


@strawberry.type
class ProjectMutations:
    """Fields of Mutation."""

    @mutation(
        PROJECTS_MANAGE, "Create a project. You become its manager. The operator may permit this to some roles only."
    )
    async def create_project(self, field: FieldContext, input: CreateProjectInput) -> CreateProjectPayload | None:
        """One service call."""
        row = await project_service.create_project(
            field.idempotent_unit_of_work(),
            creation=field.context.backend.project_creation,
            key=input.key,
            name=input.name,
            description=input.description,
        )
        return CreateProjectPayload(project=Project.of(row))

    @mutation(PROJECTS_MANAGE, "Change a project of which you are a manager. Admins: every project.")
    async def update_project(self, field: FieldContext, input: UpdateProjectInput) -> UpdateProjectPayload | None:
        """One service call."""
        row = await project_service.update_project(
            field.idempotent_unit_of_work(),
            project_id=decode_id_of("Project", input.id, field="id"),
            key=never_null(input.key, "key"),
            name=never_null(input.name, "name"),
            description="" if input.description is None else given(input.description),
            expected_version=input.expected_version,
        )
        return UpdateProjectPayload(project=Project.of(row))

    @mutation(
        PROJECTS_MANAGE, "Archive a project of which you are a manager, or activate it again. Admins: every project."
    )
    async def archive_project(self, field: FieldContext, input: ArchiveProjectInput) -> ArchiveProjectPayload | None:
        """One service call."""
        row = await project_service.archive_project(
            field.idempotent_unit_of_work(),
            project_id=decode_id_of("Project", input.id, field="id"),
            is_archived=input.is_archived,
            expected_version=input.expected_version,
        )
        return ArchiveProjectPayload(project=Project.of(row))

    @mutation(PROJECTS_MANAGE, "Delete a project of which you are a manager, permanently. Admins: every project.")
    async def delete_project(self, field: FieldContext, input: DeleteProjectInput) -> DeleteProjectPayload | None:
        """One service call."""
        project_id = await delete_project(
            field.idempotent_unit_of_work(),
            project_id=decode_id_of("Project", input.id, field="id"),
            expected_version=input.expected_version,
            confirm_key=input.confirm_key,
        )
        return DeleteProjectPayload(deleted_project_id=encode_id("Project", project_id))
