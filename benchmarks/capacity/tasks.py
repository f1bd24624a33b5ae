"""The cost of requests by the number of tasks in the database, and the room that the tasks need."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg

import embedded
from benchmarks.capacity.cost import Client, Cost, TimedOut, cost_of, metered
from benchmarks.capacity.filling import database_of
from benchmarks.capacity.tokens import numbered, tokens_for
from benchmarks.dataset import plain, row_id
from benchmarks.imports import run_import, write_records
from benchmarks.process import serving
from benchmarks.table import ABSENT, markdown
from cli.output import say
from graphql_api.schema.ids import encode_id

MEMBER, LONER = 1, 2
"""The user with 50 projects, and one with as many personal tasks and no project."""
WARM_UP: Final = 20
_IMPORTED: Final = 20_000
_LISTED: Final = "id title status priority createdAt updatedAt owner { id username } assignee { id username }"
_TASK: Final = f"query Task($id: ID!) {{ task(id: $id) {{ description {_LISTED} }} }}"
_PAGE: Final = f"""
query Tasks($first: Int!, $filter: TaskFilter, $orderBy: TaskOrder! = CREATED_DESC) {{
  tasks(first: $first, filter: $filter, orderBy: $orderBy) {{
    edges {{ cursor node {{ {_LISTED} }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
  }}
}}"""
_COUNT: Final = "query Count($filter: TaskFilter) { tasks(first: 20, filter: $filter) { totalCount } }"
_CREATE: Final = """
mutation Create($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }"""
_UPDATE: Final = """
mutation Update($input: UpdateTaskInput!) { updateTask(input: $input) { task { id } userErrors { code } } }"""
_RELATIONS: Final = """
SELECT pg_table_size('tasks') + pg_table_size('task_texts') AS rows,
       pg_indexes_size('tasks') + pg_indexes_size('task_texts') AS indexes,
       pg_relation_size('ix_task_texts_search_keys') + pg_relation_size('ix_task_texts_title_trgm')
           + pg_relation_size('ix_task_texts_description_trgm') AS search
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A kind of request: its name, the user who sends it, the operation, and the variables of each request."""

    name: str
    user: int
    query: str
    each: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes on disk for the rows and for the indexes of the tasks; `search` is the part of the three search indexes.

    `events` are the bytes of each event in the log, `rate` the tasks that `taskriver import` made a second.
    """

    rows: int
    indexes: int
    search: int
    events: float
    rate: float


def requests(tasks: int, number: int) -> list[Asked]:
    """All kinds of requests for a database with this number of tasks, each *number* times."""
    project = {"projectId": encode_id("Project", numbered(7))}
    own = range(MEMBER, tasks, 2_000)
    in_project = range(24, tasks, 400)  # tasks of the project 7

    def pages(user: int, name: str, *filters: dict[str, Any], order: str = "CREATED_DESC") -> Asked:
        some = [{"first": 20, "filter": filters[turn % len(filters)], "orderBy": order} for turn in range(number)]
        return Asked(name, user, _PAGE, some)

    labels = [{"labelIds": [encode_id("Label", numbered(70 + turn))]} for turn in range(10)]
    return [
        Asked("a task by its id", MEMBER, _TASK, [{"id": _task(own[turn % len(own)])} for turn in range(number)]),
        pages(LONER, "a page of personal tasks, no project", {}),
        pages(MEMBER, "a page of 50 projects and personal tasks", {}),
        pages(MEMBER, "a page of a project", project),
        pages(MEMBER, "a column of a project in the manual order", project | {"status": ["TODO"]}, order="RANK"),
        pages(MEMBER, "tasks of a project with a label", *({**project, **label} for label in labels)),
        pages(MEMBER, "my tasks in 50 projects", {"assigneeId": encode_id("User", numbered(MEMBER))}),
        pages(MEMBER, "a search in a project", *({**project, "search": f"boat {turn}"} for turn in range(12, 62))),
        pages(MEMBER, "a search in all tasks", *({"search": f"boat {turn}"} for turn in range(12, 62))),
        Asked("the number of tasks of a project", MEMBER, _COUNT, [{"filter": project}] * number),
        Asked("a new personal task", LONER, _CREATE, [{"input": {"title": f"Mend boat {n}"}} for n in range(number)]),
        Asked(
            "a new task of a project",
            MEMBER,
            _CREATE,
            [{"input": {"title": f"Mend boat {turn}", **project}} for turn in range(number)],
        ),
        Asked(
            "a new title of a task of a project",
            MEMBER,
            _UPDATE,
            [
                {"input": {"id": _task(in_project[turn % len(in_project)]), "title": f"Sell boat {turn}"}}
                for turn in range(number)
            ],
        ),
    ]


async def measure(
    servers: embedded.Servers, folder: Path, sizes: Sequence[int], rounds: int, number: int, imported: int = _IMPORTED
) -> tuple[dict[int, Room], dict[str, dict[int, list[Cost]]]]:
    """The room of each size, and the costs of each kind of request by size, one for each round."""
    urls = {size: await database_of(servers.database_url, size) for size in sizes}
    rooms = {size: await _room(url, servers.redis_url, folder, imported) for size, url in urls.items()}
    costs: dict[str, dict[int, list[Cost]]] = {}
    for turn in range(rounds):
        for size, url in urls.items():
            say(f"round {turn + 1}: {size:,} tasks")
            for name, cost in (await _costs(url, servers.redis_url, size, number)).items():
                costs.setdefault(name, {}).setdefault(size, []).append(cost)
    return rooms, costs


def room_table(rooms: dict[int, Room]) -> str:
    """The room for each size, as a Markdown table."""
    head = ["tasks", "rows", "indexes", "of these for the search", "each task", "each event", "import"]
    rows = [
        [
            f"{size:,}",
            _gigabytes(room.rows),
            _gigabytes(room.indexes),
            _gigabytes(room.search),
            f"{(room.rows + room.indexes) / size / 1_000:.2f} kB",
            f"{room.events / 1_000:.2f} kB",
            f"{room.rate:,.0f} tasks/s",
        ]
        for size, room in rooms.items()
    ]
    return markdown([head, *rows])


def cost_table(costs: dict[str, dict[int, list[Cost]]]) -> str:
    """The cost of each kind of request, as a Markdown table: the median of the rounds, and ratios to the least size."""
    sizes = list(next(iter(costs.values())))
    head = ["request", *(f"{size:,} tasks: server + primary" for size in sizes)]
    head += [f"{size:,}: times {sizes[0]:,}" for size in sizes[1:]] + [f"response, {size:,}" for size in sizes[-1:]]
    rows = []
    for name, found in costs.items():
        cells = [_both(found.get(size, [])) for size in sizes]
        cells += [_times(found.get(size, []), found[sizes[0]]) for size in sizes[1:]]
        last = found.get(sizes[-1])
        rows.append([name, *cells, f"{_median(last, 'response'):.1f} ms" if last else ABSENT])
    return markdown([head, *rows])


def _median(costs: Sequence[Cost], part: str) -> float:
    return float(median(getattr(cost, part) for cost in costs))


def _both(costs: Sequence[Cost]) -> str:
    """The medians of both programs, unless a statement timed out."""
    return f"{_median(costs, 'server'):.2f} + {_median(costs, 'primary'):.2f} ms" if costs else "timed out"


def _times(some: Sequence[Cost], least: Sequence[Cost]) -> str:
    ratios = [one.used / other.used for one, other in zip(some, least, strict=False)]
    return f"{median(ratios):.2f}" if ratios else ABSENT


def _gigabytes(number: float) -> str:
    return f"{number / 1e9:.2f} GB"


def _task(number: int) -> str:
    return encode_id("Task", numbered(number))


async def _costs(url: str, redis_url: str, size: int, number: int) -> dict[str, Cost]:
    tokens = dict(zip((MEMBER, LONER), tokens_for([MEMBER, LONER]), strict=True))
    costs = {}
    with serving(url, redis_url) as server:
        async with metered(server, url) as meter:
            for asked in requests(size, WARM_UP + number):
                async with Client.connected(server.port, tokens[asked.user]) as client:
                    with suppress(TimedOut):
                        costs[asked.name] = await cost_of(client, meter, asked.query, asked.each, WARM_UP)
                say(f"  {asked.name}: {_both([costs[asked.name]] if asked.name in costs else [])}")
    return costs


async def _room(url: str, redis_url: str, folder: Path, imported: int) -> Room:
    """The room of the tasks, and the rate of an import, whose tasks are removed again."""
    file = folder / f"import-{imported}.jsonl"
    write_records(file, imported)
    connection = await asyncpg.connect(plain(url))
    ids = [row_id(f"i{number}") for number in range(1, imported + 1)]
    try:
        await connection.execute("DELETE FROM tasks WHERE id = ANY($1)", ids)
        before = await connection.fetchrow(_RELATIONS)
        assert before is not None
        run = run_import(file, url, redis_url)
        events = await connection.fetchval("SELECT pg_total_relation_size('events') / count(*) FROM events")
        await connection.execute("DELETE FROM tasks WHERE id = ANY($1)", ids)
        await connection.execute("VACUUM tasks, task_texts")
    finally:
        await connection.close()
    return Room(before["rows"], before["indexes"], before["search"], events, run.rate)
