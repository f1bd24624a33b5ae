"""The most expensive requests that the server accepts: each is close to one of its limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from graphql import get_introspection_query

from benchmarks.dataset import CREATED, row_id
from domain.task import MAX_DESCRIPTION, MAX_SEARCH, MAX_TITLE
from graphql_api.execution.limits import Limits
from graphql_api.execution.query_cost import MAX_PAGE
from graphql_api.execution.request import MAX_VALUES
from graphql_api.schema.ids import encode_id

LIMITS: Final = Limits()
LONG_TEXT: Final = "\x01" * MAX_DESCRIPTION
"""The longest description: each character has six bytes in JSON."""
_FIELDS: Final = """id title description status priority dueAt version createdAt updatedAt completedAt
    owner { id username } assignee { id username } viewerCanUpdate viewerCanUpdateStatus viewerCanAssign viewerCanDelete
"""
_PEOPLE: Final = "title owner { username } assignee { username } viewerCanDelete"
_HISTORY: Final = "history(first: 5) { nodes { at to version by { username } } }"


@dataclass(frozen=True, slots=True)
class Document:
    """A document, with its variables. A comment before `text` makes it a new document.

    `is_refused`: the document is accepted, and its response is longer than the limit.
    """

    name: str
    text: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None
    is_refused: bool = False

    def body(self, comment: str) -> bytes:
        """The body of a request, with a comment in the document."""
        body = {"query": f"# {comment}\n{self.text}", "variables": self.variables, "operationName": self.operation}
        return orjson.dumps(body)


def _each(count: int, text: str) -> str:
    """The text, with a number for each asterisk."""
    return " ".join(text.replace("*", str(number)) for number in range(count))


def _pages() -> list[Document]:
    filters = (
        f'{{search: "{"prepare the quarterly report ".ljust(MAX_SEARCH, "x")}", status: [TODO, DONE], '
        'priority: [HIGH], dueAfter: "2026-01-01T00:00:00Z", dueBefore: "2027-01-01T00:00:00Z"}'
    )
    filtered = f"a*: tasks(first: 5, orderBy: DUE_ASC, filter: {filters}) {{ nodes {{ {_PEOPLE} }} }}"
    whole = f"{{ nodes {{ {_FIELDS} }} }}"
    texts = _each(LIMITS.max_aliases, "a*: description")
    return [
        Document(
            "a page of 100, all fields", f"{{ tasks(first: 100) {{ totalCount edges {{ node {{ {_FIELDS} }} }} }} }}"
        ),
        Document("a page of 60, histories too", f"{{ tasks(first: 60) {{ nodes {{ id title {_HISTORY} }} }} }}"),
        Document("15 lists by alias", f"{{ {_each(15, f'a*: tasks(first: 10) {{ nodes {{ {_PEOPLE} }} }}')} }}"),
        Document("30 lists by alias, all arguments", f"{{ {_each(LIMITS.max_aliases, filtered)} }}"),
        Document(
            "all fields of 225 tasks",
            f"{{ a: tasks(first: 100) {whole} b: tasks(first: 100) {whole} c: tasks(first: 25) {whole} }}",
        ),
        Document("a page of 100 of the longest texts", "{ tasks(first: 100) { nodes { title description } } }"),
        Document(
            "200 of the longest texts, in two lists",
            "{ a: tasks(first: 100) { nodes { description } } b: tasks(first: 100) { nodes { description } } }",
        ),
        Document("3,000 of the longest texts", f"{{ tasks(first: 100) {{ nodes {{ {texts} }} }} }}", is_refused=True),
    ]


def _shapes() -> list[Document]:
    nested = "kind name"
    for _ in range(LIMITS.max_depth - 2):
        nested = f"kind name ofType {{ {nested} }}"
    operations = _each(
        LIMITS.max_operations - 1, f"query Q* {{ tasks(first: 5) {{ nodes {{ description {_PEOPLE} }} }} }}"
    )
    fragments = _each(LIMITS.max_fragments, "fragment F* on Task { id title }")
    uses = _each(LIMITS.max_fragments, "...F*")
    variables = _each(LIMITS.max_variables, "$b*: Boolean! = true")
    included = _each(LIMITS.max_variables, "id @include(if: $b*)")
    return [
        Document("the same fields 50 times", f"{{ tasks(first: 20) {{ {'nodes { id title } ' * 50} }} }}"),
        Document(
            "the same fields in nested objects", f"{{ tasks(first: 20) {{ {'nodes { id owner { id } } ' * 40} }} }}"
        ),
        Document(f"{LIMITS.max_depth} levels", f'{{ __type(name: "Task") {{ {nested} }} }}'),
        Document(
            "20 operations",
            f"{operations} query Last {{ tasks(first: 5) {{ nodes {{ {_PEOPLE} }} }} }}",
            operation="Last",
        ),
        Document(f"{LIMITS.max_fragments} fragments", f"{{ tasks(first: 20) {{ nodes {{ {uses} }} }} }} {fragments}"),
        Document(
            f"{LIMITS.max_variables} variables and directives",
            f"query ({variables}) {{ tasks(first: 40) {{ nodes {{ {included} }} }} }}",
        ),
        Document("the longest text", f"{{ me {{ id }} {' ' * (LIMITS.max_characters - 1_000)} }}"),
        Document("the schema", "{ __schema { types { name description fields { name description type { name } } } } }"),
        Document(
            "the schema with all options",
            get_introspection_query(
                specified_by_url=True,
                directive_is_repeatable=True,
                schema_description=True,
                input_value_deprecation=True,
            ),
        ),
    ]


def _values(task: str) -> list[Document]:
    many = MAX_VALUES - 100
    return [
        Document(
            f"a list of {many:,} values",
            "query ($status: [TaskStatus!]) { tasks(first: 5, filter: {status: $status}) { nodes { id } } }",
            {"status": ["TODO"] * many},
        ),
        Document(
            f"{MAX_PAGE} ids",
            f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Task {{ {_FIELDS} }} }} }}",
            {"ids": [encode_id("Task", row_id(f"t{number}")) for number in range(1, MAX_PAGE + 1)]},
        ),
        Document(
            "a string of 200 kB, which is refused as data",
            _EDIT,
            {"input": {"id": task, "description": "x" * 200_000}},
        ),
    ]


_CREATE: Final = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }"
_EDIT: Final = (
    "mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { description } userErrors { code } } }"
)
_MANY: Final = 20


def creation(number: int) -> Document:
    """A task with the longest texts."""
    values = {"title": _title(number), "description": LONG_TEXT}
    return Document("a task created with the longest texts", _CREATE, {"input": values})


def _title(number: int) -> str:
    return f"{CREATED} {number} ".ljust(MAX_TITLE, "🛶")


def _writes(task: str) -> list[Document]:
    fields = _each(_MANY, "a*: createTask(input: {title: $title, description: $text}) { task { id } }")
    return [
        creation(0),
        Document(
            "a task edited to the longest texts",
            _EDIT,
            {"input": {"id": task, "title": _title(1), "description": LONG_TEXT}},
        ),
        Document(
            f"{_MANY} tasks created with the longest texts",
            f"mutation ($title: String!, $text: String!) {{ {fields} }}",
            {"title": _title(2), "text": LONG_TEXT},
        ),
    ]


def documents(task: str) -> list[Document]:
    """All documents; *task* is the id of a task that may be changed."""
    return [*_pages(), *_shapes(), *_values(task), *_writes(task)]
