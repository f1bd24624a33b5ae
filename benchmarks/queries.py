"""The GraphQL documents: the same fields for all servers, with the names of each."""

from collections.abc import Mapping
from typing import Final

from benchmarks.cases import Operation

_LISTED: Final = "id title status priority createdAt updatedAt owner { id username } assignee { id username }"
_WHOLE: Final = f"description {_LISTED}"
_CHANGED: Final = "id title description status priority createdAt updatedAt"
_ASSIGNED: Final = f"{_CHANGED} assignee {{ id username }}"
_PAGE: Final = "edges { cursor node { %s } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
_TYPENAME: Final = "{ __typename }"
_TASK: Final = f"query Task($id: ID!) {{ task(id: $id) {{ {_WHOLE} }} }}"

PEERS: Final[Mapping[Operation, str]] = {
    Operation.TASK: _TASK,
    Operation.PAGE: "query Tasks($first: Int!, $status: TaskStatus) { tasks(first: $first, status: $status) { "
    f"{_PAGE % _LISTED} }} }}",
    Operation.SEARCH: "query Search($first: Int!, $search: String) { tasks(first: $first, search: $search) { "
    f"{_PAGE % _LISTED} }} }}",
    Operation.TYPENAME: _TYPENAME,
    Operation.MOVE: "mutation Move($id: ID!, $status: TaskStatus!) "
    f"{{ updateTaskStatus(id: $id, status: $status) {{ {_CHANGED} }} }}",
    Operation.EDIT: "mutation Edit($id: ID!, $title: String!) "
    f"{{ updateTask(id: $id, title: $title) {{ {_CHANGED} }} }}",
    Operation.ASSIGN: "mutation Assign($id: ID!, $assigneeId: ID!) "
    f"{{ assignTask(id: $id, assigneeId: $assigneeId) {{ {_ASSIGNED} }} }}",
    Operation.CREATE: "mutation Create($title: String!, $description: String!, $priority: Int!) "
    f"{{ createTask(title: $title, description: $description, priority: $priority) {{ {_CHANGED} }} }}",
    Operation.DELETE: "mutation Delete($id: ID!) { deleteTask(id: $id) }",
}


def _ours(field: str, variables: str, values: str, fields: str) -> str:
    return f"mutation {variables} {{ {field}(input: {{{values}}}) {{ {fields} userErrors {{ code message }} }} }}"


_OUR_TASK: Final = f"task {{ {_CHANGED} }}"
OURS: Final[Mapping[Operation, str]] = {
    Operation.TASK: _TASK,
    Operation.PAGE: "query Tasks($first: Int!, $status: [TaskStatus!]) "
    f"{{ tasks(first: $first, filter: {{status: $status}}) {{ {_PAGE % _LISTED} }} }}",
    Operation.SEARCH: "query Search($first: Int!, $search: String) "
    f"{{ tasks(first: $first, filter: {{search: $search}}) {{ {_PAGE % _LISTED} }} }}",
    Operation.TYPENAME: _TYPENAME,
    Operation.MOVE: _ours(
        "updateTaskStatus", "Move($id: ID!, $status: TaskStatus!)", "id: $id, status: $status", _OUR_TASK
    ),
    Operation.EDIT: _ours("updateTask", "Edit($id: ID!, $title: String!)", "id: $id, title: $title", _OUR_TASK),
    Operation.ASSIGN: _ours(
        "assignTask",
        "Assign($id: ID!, $assigneeId: ID!)",
        "id: $id, assigneeId: $assigneeId",
        f"task {{ {_ASSIGNED} }}",
    ),
    Operation.CREATE: _ours(
        "createTask",
        "Create($title: String!, $description: String!, $priority: TaskPriority!)",
        "title: $title, description: $description, priority: $priority",
        _OUR_TASK,
    ),
    Operation.DELETE: _ours("deleteTask", "Delete($id: ID!)", "id: $id", "deletedTaskId"),
}

_ROW_CHANGED: Final = f"id: rowId {_CHANGED.removeprefix('id ')}"
_ROW_ASSIGNEE: Final = "assignee: userByAssigneeId { id: rowId username }"
_ROW_LISTED: Final = f"""id: rowId title status priority createdAt updatedAt
    owner: userByOwnerId {{ id: rowId username }} {_ROW_ASSIGNEE}""".replace("\n", " ")


def _patch(variables: str, patch: str, fields: str = _ROW_CHANGED) -> str:
    return (
        f"mutation {variables} {{ updateTaskByRowId(input: {{rowId: $id, taskPatch: {{{patch}}}}}) "
        f"{{ task {{ {fields} }} }} }}"
    )


POSTGRAPHILE: Final[Mapping[Operation, str]] = {
    Operation.TASK: f"query Task($id: UUID!) {{ task: taskByRowId(rowId: $id) {{ description {_ROW_LISTED} }} }}",
    Operation.PAGE: "query Tasks($first: Int!, $status: TaskStatus) { tasks: allTasks(first: $first, "
    "condition: {status: $status}, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) "
    f"{{ {_PAGE % _ROW_LISTED} }} }}",
    Operation.TYPENAME: _TYPENAME,
    Operation.MOVE: _patch("Move($id: UUID!, $status: TaskStatus!)", "status: $status"),
    Operation.EDIT: _patch("Edit($id: UUID!, $title: String!)", "title: $title"),
    Operation.ASSIGN: _patch(
        "Assign($id: UUID!, $assigneeId: UUID!)", "assigneeId: $assigneeId", f"{_ROW_CHANGED} {_ROW_ASSIGNEE}"
    ),
    Operation.CREATE: "mutation Create($title: String!, $description: String!, $priority: Int!, $ownerId: UUID!) "
    "{ createTask(input: {task: {title: $title, description: $description, priority: $priority, ownerId: $ownerId}}) "
    f"{{ task {{ {_ROW_CHANGED} }} }} }}",
    Operation.DELETE: "mutation Delete($id: UUID!) { deleteTaskByRowId(input: {rowId: $id}) { task { id: rowId } } }",
}
"""PostGraphile has no search: its lists are filtered by equality."""
