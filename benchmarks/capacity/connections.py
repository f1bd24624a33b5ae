"""What open sockets cost one process: at rest, for a change that reaches all, and when all reconnect after a restart.

Every socket belongs to another user. All users are members of one project, in which another process makes the changes.
"""

import asyncio
import resource
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import orjson

import embedded
from benchmarks.capacity.cost import Client, Meter, metered
from benchmarks.capacity.members import LISTEN, PATIENCE_SECONDS
from benchmarks.capacity.people import MANAGER, People, database_with
from benchmarks.capacity.settling import settled_memory
from benchmarks.capacity.tokens import numbered, tokens_for
from benchmarks.listeners import ListenerGroup, listening
from benchmarks.process import serving
from benchmarks.table import markdown
from cli.output import say
from graphql_api.schema.ids import encode_id

_FIRST: Final = 1_000
_PROJECT: Final = 1
_AT_A_TIME: Final = 100
_RECONNECTING_AT_A_TIME: Final = 500
_OTHER_FILES: Final = 500
"""Files that a process has open besides its sockets."""
_UPDATE: Final = """
mutation Update($input: UpdateTaskInput!) { updateTask(input: $input) { task { id } userErrors { code } } }"""
_AFTER: Final = LISTEN.replace("taskChanged", "taskChanged(after: %s)")
_RECONNECT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Restart:
    """Seconds from the start of the process until all have subscribed, and until all have what they missed.

    Then the seconds of processor time of the server and of PostgreSQL.
    """

    subscribed: float
    received: float
    server: float
    primary: float


@dataclass(frozen=True, slots=True)
class Connected:
    """One process with so many sockets.

    Bytes of memory for each, the share of a core that idle sockets use, milliseconds of processor time to open one, and
    milliseconds until a change reaches all: the median and the longest. Then the longest time for which the event loop
    was blocked, in milliseconds of processor time, and the seconds in which the process stopped.
    """

    sockets: int
    memory: float
    idle: float
    opening: float
    reaches_all: float
    longest: float
    blocked: float
    stop: float
    restart: Restart


async def measure(servers: embedded.Servers, sizes: Sequence[int], number: int, idle_seconds: float) -> list[Connected]:
    """Each number of sockets; *number* changes are waited for, and as many are missed during the restart."""
    people = People()
    people.join(_PROJECT, range(_FIRST, _FIRST + max(sizes)))
    url = await database_with(servers.database_url, "connections", people)
    found = []
    for size in sizes:
        say(f"{size:,} sockets")
        found.append(await _measure(url, servers.redis_url, size, number, idle_seconds))
        say(table(found[-1:]).splitlines()[-1])
    return found


def raise_limit(sockets: int) -> int:
    """Let this process and its child processes open so many sockets, or as many as possible; returns the open files."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # only a privileged user may
        wanted = max(most, sockets + _OTHER_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        most = wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def permitted(sizes: Sequence[int]) -> list[int]:
    """The sizes for which this machine permits enough open files."""
    most = raise_limit(max(sizes))
    possible = [size for size in sizes if size + _OTHER_FILES <= most]
    for size in sizes:
        if size not in possible:
            say(f"{size:,} sockets: left out, because a process may open {most:,} files (ulimit -Hn)")
    return possible


def table(found: Sequence[Connected]) -> str:
    """A Markdown table."""
    head = ["sockets", "memory of each", "processor at rest", "opening one", "a change reaches all: median", "longest"]
    head += [
        "longest block",
        "stop",
        "all subscribed again",
        "all have what they missed",
        "processor for that: server + primary",
    ]
    rows = [
        [
            f"{each.sockets:,}",
            f"{each.memory / 1_000:.1f} kB",
            f"{each.idle:.1%} of a core",
            f"{each.opening:.2f} ms",
            f"{each.reaches_all:,.0f} ms",
            f"{each.longest:,.0f} ms",
            f"{each.blocked:,.0f} ms",
            f"{each.stop:.1f} s",
            f"{each.restart.subscribed:.1f} s",
            f"{each.restart.received:.1f} s",
            f"{each.restart.server:.1f} + {each.restart.primary:.1f} s",
        ]
        for each in found
    ]
    return markdown([head, *rows])


async def _measure(url: str, redis_url: str, size: int, number: int, idle_seconds: float) -> Connected:
    tokens = tokens_for(list(range(_FIRST, _FIRST + size)))
    with TemporaryDirectory() as folder, serving(url, redis_url) as writer, ExitStack() as running:
        gaps = Path(folder) / "gaps"
        process = running.enter_context(serving(url, redis_url, gaps=gaps))
        async with metered(process, url) as meter:
            before, (used, _) = await settled_memory(process), await meter.read()
            async with listening(process.port, LISTEN, tokens, at_a_time=_AT_A_TIME) as group:
                opening = ((await meter.read())[0] - used) / size
                memory = (await settled_memory(process) - before) / size
                idle = await _idle(meter, idle_seconds)
                times = await _changes(writer.port, group, number)
                blocked = float(orjson.loads(gaps.read_bytes())["cpu"])
                began = time.perf_counter()
                await asyncio.to_thread(running.close)
                stop = time.perf_counter() - began
        await _changes(writer.port, None, number)
        restart = await _restart(url, redis_url, process.port, tokens, _cursor(group), number)
    return Connected(
        size, memory, idle, opening * 1_000, median(times) * 1_000, max(times) * 1_000, blocked, stop, restart
    )


async def _idle(meter: Meter, seconds: float) -> float:
    """The share of a core that the server uses without changes."""
    (before, _), began = await meter.read(), time.perf_counter()
    await asyncio.sleep(seconds)
    return ((await meter.read())[0] - before) / (time.perf_counter() - began)


async def _changes(port: int, group: ListenerGroup | None, number: int) -> list[float]:
    """Change the task, and wait for all deliveries; returns the seconds from each request to the last delivery."""
    times = []
    async with Client.connected(port, tokens_for([MANAGER])[0]) as client:
        for _ in range(number):
            if group is not None:
                group.sample = None
                group.expect(group.sockets)
            began = time.perf_counter()
            task = {"id": encode_id("Task", numbered(_PROJECT)), "title": f"Mend the boat at {time.time_ns()}"}
            await client.send(_UPDATE, {"input": task})
            if group is not None:
                await group.have_received(PATIENCE_SECONDS)
            times.append(time.perf_counter() - began)
    return times


def _cursor(group: ListenerGroup) -> str:
    """The cursor of the last change. It is the same for all users, because none of them lost rights."""
    assert group.sample is not None
    cursor = orjson.loads(group.sample)["payload"]["data"]["taskChanged"]["cursor"]
    assert isinstance(cursor, str)
    return cursor


async def _restart(url: str, redis_url: str, port: int, tokens: list[str], cursor: str, missed: int) -> Restart:
    """Start the process again. All users reconnect with the cursor, after which they missed so many changes.

    Raises:
        RuntimeError: they received something else.
    """
    query = _AFTER % orjson.dumps(cursor).decode()
    with serving(url, redis_url, port=port) as process:
        async with metered(process, url) as meter:
            (used, used_by_primary), began = await meter.read(), time.perf_counter()
            async with listening(port, query, tokens, at_a_time=_RECONNECTING_AT_A_TIME) as group:
                subscribed = time.perf_counter() - began
                await group.have_received_at_least(len(tokens) * missed, _RECONNECT_SECONDS)
                received = time.perf_counter() - began
                later, later_primary = await meter.read()
                if group.received != len(tokens) * missed or b'"title"' not in (group.sample or b""):
                    raise RuntimeError(f"{group.received} items arrived, such as {group.sample!r}")
    return Restart(subscribed, received, later - used, later_primary - used_by_primary)
