"""Faults put into the rules of access, each of which the first few hundred probes must notice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from sqlalchemy import ColumnElement, or_, select, true

from domain import policy
from domain.actor import Actor
from domain.errors import NotFound
from domain.events import MembershipEvent
from domain.policy import Action, Reach, TaskPeople
from domain.project import ProjectRole
from domain.task import check_version
from graphql_api.schema import user as user_schema
from persistence.models import ProjectRow, TaskRow
from persistence.queries import child_list, project_visibility, reader, task_visibility
from persistence.queries import task as task_reads
from persistence.queries import task_page as task_pages
from persistence.queries import trash as trash_reads
from persistence.queries import user as user_reads
from persistence.queries.parent import Reaches
from persistence.repositories import task as task_rows
from services import subtask, task_access, task_creation, task_move
from services import task as task_service
from services import trash as trash_service
from services.task_access import TaskAccess
from streaming import visibility
from streaming.memberships import KnownRoles
from streaming.visibility import SubscriberView

Patch = pytest.MonkeyPatch
_ALL: Final = frozenset({Reach.ANY})


@dataclass(frozen=True)
class Mutant:
    """A fault. *make* patches the code."""

    name: str
    make: Callable[[Patch], None]

    @contextmanager
    def made(self) -> Iterator[None]:
        """The faulty code. Statements are made again, because conditions in SQL are part of them."""
        with pytest.MonkeyPatch.context() as patch:
            self.make(patch)
            reader._statement.cache_clear()
            try:
                yield
            finally:
                reader._statement.cache_clear()


def _in_reads_of_tasks(patch: Patch, name: str, wrong: Any) -> None:
    """Replace what both the reads of single tasks and the pages of tasks use."""
    for module in (task_reads, task_pages):
        patch.setattr(module, name, wrong)


def _no_membership_in_sql(patch: Patch) -> None:
    right = task_visibility.visible

    def wrong(reaches: Reaches) -> ColumnElement[bool]:
        return or_(right(reaches), TaskRow.project_id.is_not(None))

    _in_reads_of_tasks(patch, "visible", wrong)


def _owner_reads_project_task_in_sql(patch: Patch) -> None:
    def wrong(reaches: Reaches) -> ColumnElement[bool]:
        if Reach.ANY in reaches:
            return true()
        return or_(task_visibility._is_mine(reaches), task_visibility.in_project_of_member(reaches))

    _in_reads_of_tasks(patch, "visible", wrong)


def _owner_may_change_project_task(patch: Patch) -> None:
    right = policy.may

    def wrong(actor: Actor, action: Action, task: TaskPeople, *given: Any, **named: Any) -> bool:
        return task.owner_id == actor.user_id or right(actor, action, task, *given, **named)

    patch.setattr(policy, "may", wrong)


def _replays_ignore_rights(patch: Patch) -> None:
    """Live events are not affected, because an index finds their subscribers."""
    patch.setattr(visibility, "may_see", lambda actor, task: True)


def _all_receive_all_events(patch: Patch) -> None:
    patch.setattr(SubscriberView, "__post_init__", lambda self: object.__setattr__(self, "sees_everything", True))


def _stale_role_on_the_stream(patch: Patch) -> None:
    right = KnownRoles.apply

    def wrong(self: KnownRoles, event: MembershipEvent) -> None:
        if event.role is not None:
            right(self, event)

    patch.setattr(KnownRoles, "apply", wrong)


def _archived_projects_change(patch: Patch) -> None:
    right = policy.may_project

    def wrong(actor: Actor, action: Action, role: ProjectRole | None, *, is_archived: bool = False) -> bool:
        return right(actor, action, role)

    patch.setattr(policy, "may_project", wrong)


def _lists_without_personal_condition(patch: Patch) -> None:
    def wrong(reaches: Reaches) -> ColumnElement[bool]:
        return or_(*(column == task_visibility._ACTOR for column in task_visibility._MINE.values()))

    patch.setattr(task_reads, "listed", wrong)


def _children_of_all_parents(patch: Patch) -> None:
    def wrong(self: Any, wanted: Any, columns: Any, place: Any, *, descending: bool) -> Any:
        by = self.children.place.desc() if descending else self.children.place.asc()
        return select(*columns).where(*self.children.conditions, *place).order_by(by)

    patch.setattr(child_list.ChildPages, "_found", wrong)


def _children_of_invisible_parents(patch: Patch) -> None:
    right = child_list.VisibleChildren.select

    def wrong(self: child_list.VisibleChildren, columns: Any) -> Any:
        return right(replace(self, reaches=_ALL), columns)

    patch.setattr(child_list.VisibleChildren, "select", wrong)


def _outsiders_are_assigned(patch: Patch) -> None:
    patch.setattr(task_access, "assignee_problem", lambda *rows: None)


def _labels_of_other_projects_are_set(patch: Patch) -> None:
    patch.setattr(task_access, "check_labels", lambda rows, project_id: None)


def _members_of_invisible_projects(patch: Patch) -> None:
    right = project_visibility.members_of_visible_project
    patch.setattr(user_reads, "members_of_visible_project", lambda reaches: right(_ALL))


def _all_emails_are_shown(patch: Patch) -> None:
    patch.setattr(user_schema, "may_user", lambda actor, action, user_id: True)


def _version_is_checked_first(patch: Patch) -> None:
    right = task_service._update

    def wrong(values: Any, expected_version: Any, access: TaskAccess, *assignee: Any) -> Any:
        check_version(access.task.version, expected_version)
        return right(values, expected_version, access, *assignee)

    patch.setattr(task_service, "_update", wrong)


def _refusals_name_the_task(patch: Patch) -> None:
    right = TaskAccess.require

    def wrong(self: TaskAccess, action: Action, **named: Any) -> None:
        try:
            right(self, action, **named)
        except NotFound as error:
            raise NotFound(f"{self.task.title} not found", path=error.path) from None

    patch.setattr(TaskAccess, "require", wrong)


def _all_comments_can_be_changed(patch: Patch) -> None:
    patch.setattr(policy, "require_comment", lambda *given, **named: None)


def _totals_count_all(patch: Patch) -> None:
    right = task_reads.TaskCount

    def wrong(reaches: Reaches, given: Any) -> Any:
        return right(_ALL, given)

    _in_reads_of_tasks(patch, "TaskCount", wrong)


def _parents_in_other_projects(patch: Patch) -> None:
    def wrong(task: TaskRow, parent: TaskRow | None) -> TaskRow:
        if parent is None:
            raise NotFound("Task not found", path=("parentId",))
        return parent

    for module in (subtask, task_creation):
        patch.setattr(module, "check_parent", wrong)


def _tasks_go_to_all_visible_projects(patch: Patch) -> None:
    def wrong(uow: Any, found: ProjectRow | None, *membership: Any) -> ProjectRow:
        project: ProjectRow = uow.projects.existing(found)
        return project

    patch.setattr(task_move, "require_creation", wrong)


def _placed_beside_tasks_of_other_projects(patch: Patch) -> None:
    patch.setattr(task_rows, "_RANK_IN", "SELECT rank FROM tasks WHERE id = $1 AND $2::uuid IS NOT NULL")


def _all_deleted_tasks_are_restored(patch: Patch) -> None:
    patch.setattr(trash_service, "_check_rights", lambda actor, locked: None)


def _trash_of_all_projects(patch: Patch) -> None:
    patch.setattr(trash_reads, "belongs_to_visible_project", lambda project_id, reaches: true())


MUTANTS: Final = (
    Mutant("all tasks of projects are visible in SQL", _no_membership_in_sql),
    Mutant("an owner without a role reads a task of a project", _owner_reads_project_task_in_sql),
    Mutant("an owner without a role changes a task of a project", _owner_may_change_project_task),
    Mutant("events after a cursor are delivered to all users", _replays_ignore_rights),
    Mutant("all users receive all events", _all_receive_all_events),
    Mutant("the stream keeps the role of a former member", _stale_role_on_the_stream),
    Mutant("archived projects can be changed", _archived_projects_change),
    Mutant("lists for older clients ignore the membership", _lists_without_personal_condition),
    Mutant("a list has the children of all parents", _children_of_all_parents),
    Mutant("a child is found whose parent is not visible", _children_of_invisible_parents),
    Mutant("tasks are assigned to users outside the project", _outsiders_are_assigned),
    Mutant("tasks get labels of other projects", _labels_of_other_projects_are_set),
    Mutant("members of all projects are found", _members_of_invisible_projects),
    Mutant("all e-mail addresses are shown", _all_emails_are_shown),
    Mutant("the version is compared before the rights", _version_is_checked_first),
    Mutant("a refusal names the task", _refusals_name_the_task),
    Mutant("every user changes every comment of a readable task", _all_comments_can_be_changed),
    Mutant("totals count all tasks", _totals_count_all),
    Mutant("subtasks have parents in other projects", _parents_in_other_projects),
    Mutant("tasks are moved to every visible project", _tasks_go_to_all_visible_projects),
    Mutant("tasks are placed beside those of other projects", _placed_beside_tasks_of_other_projects),
    Mutant("every user restores every deleted task", _all_deleted_tasks_are_restored),
    Mutant("the trash has the tasks of all projects", _trash_of_all_projects),
)
