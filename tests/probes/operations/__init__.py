"""The kinds of probes, by the objects that they name."""

from typing import Final

from tests.probes.operation import Operation
from tests.probes.operations import (
    bulk_changes,
    comments,
    history_pages,
    invitations,
    labels,
    member_changes,
    member_pages,
    pages,
    project_changes,
    project_queries,
    rest,
    subtasks,
    task_changes,
    task_lists,
    task_moves,
    task_queries,
    trash,
    users,
)

GRAPHQL: Final[tuple[Operation, ...]] = (
    *task_queries.OPERATIONS,
    *task_lists.OPERATIONS,
    *task_changes.OPERATIONS,
    *task_moves.OPERATIONS,
    *subtasks.OPERATIONS,
    *bulk_changes.OPERATIONS,
    *trash.OPERATIONS,
    *project_queries.OPERATIONS,
    *project_changes.OPERATIONS,
    *member_changes.OPERATIONS,
    *comments.OPERATIONS,
    *labels.OPERATIONS,
    *invitations.OPERATIONS,
    *users.OPERATIONS,
    *pages.OPERATIONS,
    *history_pages.OPERATIONS,
    *member_pages.OPERATIONS,
)
REST: Final[tuple[Operation, ...]] = rest.OPERATIONS
