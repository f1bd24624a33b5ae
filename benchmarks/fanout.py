"""W5: two hundred changes in a burst, delivered to five hundred sockets.

The peers receive simulated changes through their Redis channel. Our server commits every change: they are mutations
over HTTP. The time counts from the first request to the last frame. If a peer has not delivered everything after two
minutes, the deliveries so far count.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Final, Protocol

import uvloop
from redis.asyncio import Redis

from benchmarks.cases import Case
from benchmarks.environment import Stage, channel_of, token_for
from benchmarks.listeners import GRAPHQL, ListenerGroup, listening
from benchmarks.peers.catalogue import Peer
from benchmarks.posting import post_all
from benchmarks.process import MEGABYTE, ServerProcess
from benchmarks.results import Measurement
from benchmarks.workloads import Workload, cases
from graphql_api.schema.ids import decode_id

WHAT: Final = "W5"
SOCKETS: Final = 500
EVENTS: Final = 200
PEOPLE: Final = 50
PATIENCE_SECONDS: Final = 120.0
PROBE_SECONDS: Final = 1.0
PROBES: Final = 20
_LEAST_EVENTS: Final = 20
_MOST_FRAMES: Final = 100_000
_FIELDS: Final = "id title status priority updatedAt"
_OURS: Final = f"subscription {{ taskStatusChanged {{ task {{ {_FIELDS} }} }} }}"
_THEIRS: Final = f"subscription {{ taskStatusChanged {{ {_FIELDS} }} }}"


class Source(Protocol):
    """A source of changes."""

    async def deliver(self, many: int) -> int:
        """Make this number of changes; returns how many the server refused at first."""


@dataclass(frozen=True, slots=True)
class Mutations:
    """Changes that the server commits."""

    port: int
    peer: Peer
    moves: Iterator[Case]

    async def deliver(self, many: int) -> int:
        """Send them without a pause."""
        dialect = self.peer.dialect.value
        requests = [dialect.request(case) for case in islice(self.moves, many)]
        return await post_all(self.port, token_for(self.peer), requests)


@dataclass(frozen=True, slots=True)
class SimulatedChanges:
    """Messages about changes that were not made."""

    redis: Redis
    channel: str
    numbers: Iterator[int]

    async def deliver(self, many: int) -> int:
        """Publish them at once."""
        pipeline = self.redis.pipeline(transaction=False)
        for number in islice(self.numbers, many):
            pipeline.publish(self.channel, json.dumps(_simulated(number)))
        await pipeline.execute()
        return 0


def _no_edge(server: ServerProcess) -> None:
    """Do nothing."""


def play(stage: Stage, peers: Sequence[Peer], number: int, sockets: int = SOCKETS) -> list[Measurement]:
    """One round: each peer with subscriptions, started for this round."""
    return [uvloop.run(measure(stage, peer, number, sockets)) for peer in peers if peer.endpoint is not None]


async def measure(
    stage: Stage, peer: Peer, number: int, sockets: int, *options: str, edge: Callable[[ServerProcess], None] = _no_edge
) -> Measurement:
    """One peer, started with *options*; *edge* is called when the burst begins and when it is over."""
    people = [token_for(peer, person) for person in range(1, PEOPLE + 1)]
    tokens = [people[index % PEOPLE] for index in range(sockets)]
    await stage.rewind(peer)
    redis = Redis.from_url(stage.redis)
    try:
        with stage.start(peer, *options) as server:
            source = _source(stage, peer, server, redis)
            async with listening(server.port, query_of(peer), tokens, peer.endpoint or GRAPHQL) as group:
                await _until_all_receive(group, source, sockets)
                _check(peer, group)
                await asyncio.sleep(PROBE_SECONDS)
                edge(server)
                rate, numbers = await _burst(server, group, source, sockets)
                edge(server)
    finally:
        await redis.aclose()
    return Measurement(WHAT, peer.name, number, rate, numbers)


def query_of(peer: Peer) -> str:
    """The subscription to status changes."""
    return _OURS if peer.is_ours else _THEIRS


def _source(stage: Stage, peer: Peer, server: ServerProcess, redis: Redis) -> Source:
    if peer.is_ours:
        return Mutations(server.port, peer, iter(cases(Workload.W3, stage.tasks)))
    return SimulatedChanges(redis, channel_of(peer), count())


async def _until_all_receive(group: ListenerGroup, source: Source, sockets: int) -> None:
    for _ in range(PROBES):
        group.expect(sockets)
        await source.deliver(1)
        try:
            await group.have_received(PROBE_SECONDS)
        except TimeoutError:
            continue
        return
    raise RuntimeError(f"Of {sockets} sockets {group.received} received a change.")


async def _burst(
    server: ServerProcess, group: ListenerGroup, source: Source, sockets: int
) -> tuple[float, dict[str, float]]:
    events = max(_LEAST_EVENTS, min(EVENTS, _MOST_FRAMES // sockets))
    group.expect(sockets * events)
    server.forget_peak()
    began, cpu = time.perf_counter(), server.cpu_seconds
    repeated = await source.deliver(events)
    with suppress(TimeoutError):
        await group.have_received(PATIENCE_SECONDS)
    seconds, used = time.perf_counter() - began, server.cpu_seconds - cpu
    if group.received > sockets * events:
        raise RuntimeError(f"{group.received - sockets * events} unexpected frames arrived.")
    memory = server.peak / MEGABYTE
    return group.received / seconds, {
        "per_cpu": group.received / max(used, 1e-3),
        "repeated": repeated,
        "memory": memory,
    }


def _check(peer: Peer, group: ListenerGroup) -> None:
    found: Any = json.loads(group.sample or b"")
    if "payload" in found:
        found = found["payload"]["data"]["taskStatusChanged"]
    if peer.is_ours:
        assert decode_id(found["task"]["id"], field="id")[0] == "Task", found
        found = found["task"]
    assert list(found) == _FIELDS.split(), found
    assert peer.is_ours or found["title"].startswith("Simulated"), found


def _simulated(number: int) -> dict[str, Any]:
    return {
        "id": "83f1535f-99ab-0bf4-e9d0-2dfd85d3e3f7",
        "title": f"Simulated {number:06}",
        "status": "DONE",
        "priority": 3,
        "updatedAt": "2026-01-01T00:00:00.123000+00:00",
    }
