"""What the members of a project cost: a change, a member more or less, and the memberships of a user."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import embedded
from benchmarks.capacity.cost import Client, Cost, Meter, cost_of, metered
from benchmarks.capacity.people import MANAGER, People, database_with
from benchmarks.capacity.settling import settled_memory
from benchmarks.capacity.tokens import numbered, tokens_for
from benchmarks.listeners import ListenerGroup, listening
from benchmarks.process import serving
from benchmarks.table import markdown
from cli.output import say
from graphql_api.schema.ids import encode_id

LISTEN: Final = "subscription { taskChanged { cursor task { id title status priority updatedAt } } }"
PATIENCE_SECONDS: Final = 60.0
_FIRST_MEMBER: Final = 1_000
_OUTSIDERS: Final = 100
_BY_SIZE: Final = 10_000
"""The project with M members has this number and M."""
_BY_PROJECTS: Final = 1_000_000
"""The users with P projects have numbers after this one times P."""
_TASK: Final = "query Task($id: ID!) { task(id: $id) { id title status viewerCanUpdate } }"
_PAGE: Final = """query Tasks($filter: TaskFilter) {
  tasks(first: 20, filter: $filter) { nodes { id title status viewerCanUpdate } pageInfo { hasNextPage endCursor } }
}"""
_UPDATE: Final = """
mutation Update($input: UpdateTaskInput!) { updateTask(input: $input) { task { id } userErrors { code } } }"""
_ADD: Final = """
mutation Add($input: AddMemberInput!) { addMember(input: $input) { membership { id } userErrors { code } } }"""
_REMOVE: Final = """
mutation Remove($input: RemoveMemberInput!) {
  removeMember(input: $input) { deletedMembershipId userErrors { code } }
}"""


@dataclass(frozen=True, slots=True)
class OfProject:
    """A project with so many members, of whom so many listen.

    The costs of a change of a task, of a new member and of a removed one, and the median of the milliseconds from a
    change to the last delivery.
    """

    members: int
    listening: int
    change: Cost
    add: Cost
    remove: Cost
    last_delivery: float | None


@dataclass(frozen=True, slots=True)
class OfUser:
    """Users who are members of so many projects.

    The bytes of memory and the milliseconds of the server's processor time of each subscribed socket, the milliseconds
    for each delivery, and the costs of requests.
    """

    projects: int
    memory: float
    opening: float
    delivery: float
    requests: dict[str, Cost]


async def measure_projects(servers: embedded.Servers, sizes: Sequence[int], number: int) -> list[OfProject]:
    """Projects of these sizes, in which no member or every member listens; *number* changes of each kind."""
    people = People()
    people.users |= {_OUTSIDERS + turn for turn in range(number)}
    for size in sizes:
        people.join(_BY_SIZE + size, range(_FIRST_MEMBER, _FIRST_MEMBER + size - 1))
    url = await database_with(servers.database_url, "members", people)
    found = []
    for size in sizes:
        for listeners in (0, size):
            say(f"{size:,} members, {listeners:,} listen")
            with serving(url, servers.redis_url) as server:
                tokens = tokens_for([MANAGER, *range(_FIRST_MEMBER, _FIRST_MEMBER + size - 1)][:listeners])
                async with (
                    _listening(server.port, tokens) as group,
                    metered(server, url) as meter,
                    Client.connected(server.port, tokens_for([MANAGER])[0]) as client,
                ):
                    found.append(await _of_project(client, meter, group, size, number))
            say(projects_table(found[-1:]).splitlines()[-1])
    return found


async def measure_users(servers: embedded.Servers, sizes: Sequence[int], users: int, number: int) -> list[OfUser]:
    """*users* users with each of these numbers of projects: sockets, deliveries, and *number* requests of each kind."""
    people = People()
    for size in sizes:
        for project in range(1, size + 1):
            people.join(project, range(_BY_PROJECTS * size, _BY_PROJECTS * size + users))
    people.join(_BY_SIZE, range(_FIRST_MEMBER, _FIRST_MEMBER + users))  # they open their sockets before
    url = await database_with(servers.database_url, "projects", people)
    found = []
    for size in sizes:
        say(f"{users:,} users with {size:,} projects")
        own = tokens_for(list(range(_BY_PROJECTS * size, _BY_PROJECTS * size + users)))
        others = tokens_for(list(range(_FIRST_MEMBER, _FIRST_MEMBER + users)))
        with serving(url, servers.redis_url) as server:
            async with metered(server, url) as meter, listening(server.port, LISTEN, others):
                before, (used, _) = await settled_memory(server), await meter.read()
                async with listening(server.port, LISTEN, own) as group:
                    opening = (await meter.read())[0] - used
                    memory = (await settled_memory(server) - before) / users
                    delivery = await _delivery(server.port, meter, group, number)
                async with Client.connected(server.port, own[0]) as client:
                    requests = {
                        name: await cost_of(client, meter, query, [variables] * (20 + number))
                        for name, (query, variables) in _REQUESTS.items()
                    }
        found.append(OfUser(size, memory, opening / users * 1_000, delivery, requests))
    return found


def projects_table(found: Sequence[OfProject]) -> str:
    """A Markdown table of projects."""
    head = ["members", "of whom listen", "a change: server + primary", "until the last has it"]
    head += ["a new member: server + primary", "a removed member: server + primary"]
    rows = [
        [
            f"{each.members:,}",
            f"{each.listening:,}",
            _both(each.change),
            f"{each.last_delivery:,.0f} ms" if each.last_delivery is not None else "–",
            _both(each.add),
            _both(each.remove),
        ]
        for each in found
    ]
    return markdown([head, *rows])


def users_table(found: Sequence[OfUser]) -> str:
    """A Markdown table of users."""
    head = ["projects of each user", "memory of a socket", "memory of a membership", "opening a socket", "a delivery"]
    head += [f"{name}: server + primary" for name in _REQUESTS]
    least, rows = found[0], []
    for each in found:
        more = each.projects - least.projects
        rows.append(
            [
                f"{each.projects:,}",
                f"{each.memory / 1_000:,.1f} kB",
                f"{(each.memory - least.memory) / more:,.0f} bytes" if more else "–",
                f"{each.opening:.2f} ms",
                f"{each.delivery * 1_000:.1f} µs",
                *(_both(each.requests[name]) for name in _REQUESTS),
            ]
        )
    return markdown([head, *rows])


async def _of_project(
    client: Client, meter: Meter, group: ListenerGroup | None, members: int, number: int
) -> OfProject:
    project, listeners = _BY_SIZE + members, group.sockets if group is not None else 0
    await _change(client, project, group, "Warm up")
    before = await meter.read()
    times = [await _change(client, project, group, f"Mend boat {turn}") for turn in range(number)]
    change = _cost(before, await meter.read(), number)
    ids = {"projectId": encode_id("Project", numbered(project))}
    each = [{"input": ids | {"userId": encode_id("User", numbered(_OUTSIDERS + turn))}} for turn in range(number)]
    add = await cost_of(client, meter, _ADD, each, warm_up=1)
    remove = await cost_of(client, meter, _REMOVE, each, warm_up=1)
    last = median(times) * 1_000 if listeners else None
    return OfProject(members, listeners, change, add, remove, last)


async def _delivery(port: int, meter: Meter, group: ListenerGroup, number: int) -> float:
    """Milliseconds of the server's processor time for each delivery of a change in the first project."""
    async with Client.connected(port, tokens_for([MANAGER])[0]) as client:
        await _change(client, 1, group, "Warm up")
        before = await meter.read()
        for turn in range(number):
            await _change(client, 1, group, f"Mend boat {turn}")
        return _cost(before, await meter.read(), number * group.sockets).server


async def _change(client: Client, project: int, group: ListenerGroup | None, title: str) -> float:
    """Change the task of a project, and wait for all deliveries; returns the seconds from the request to the last."""
    task = {"id": encode_id("Task", numbered(project)), "title": title}
    if group is not None:
        group.expect(group.sockets)
    began = time.perf_counter()
    await client.send(_UPDATE, {"input": task})
    if group is not None:
        await group.have_received(PATIENCE_SECONDS)
    return time.perf_counter() - began


@asynccontextmanager
async def _listening(port: int, tokens: list[str]) -> AsyncIterator[ListenerGroup | None]:
    async with listening(port, LISTEN, tokens) if tokens else nullcontext() as group:
        yield group


def _cost(before: tuple[float, float], after: tuple[float, float], number: int) -> Cost:
    server, primary = ((late - early) / number * 1_000 for early, late in zip(before, after, strict=True))
    return Cost(server, primary, 0.0)


def _both(cost: Cost) -> str:
    return f"{cost.server:.2f} + {cost.primary:.2f} ms"


_PROJECT: Final[dict[str, Any]] = {"projectId": encode_id("Project", numbered(1))}
_REQUESTS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "a task": (_TASK, {"id": encode_id("Task", numbered(1))}),
    "a page of a project": (_PAGE, {"filter": _PROJECT}),
    "a page of all": (_PAGE, {}),
}
