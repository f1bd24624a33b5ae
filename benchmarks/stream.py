"""The deliveries of a process: one execution for subscribers with the same view, compared with one for each.

    make bench-stream            or  python -m benchmarks.stream [--short]

Real sockets on the loopback interface; the server has one core, everything else the other one. Both ways alternate, so
that other load of the machine affects both. Compare the ratios, not the numbers.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

import uvloop

from benchmarks.listeners import ListenerGroup, listening
from benchmarks.process import ServerProcess, cores, serving
from benchmarks.stream_scenario import World, a_world, servers
from cli.output import say

QUERY: Final = """subscription { taskStatusChanged {
  cursor task { id title status priority updatedAt } ... on TaskStatusChanged { from to } } }"""
EVENTS: Final = {("shared", 500): 100, ("shared", 5_000): 20, ("apart", 500): 4, ("apart", 5_000): 1}
PATIENCE_SECONDS: Final = 120.0
WAYS: Final = ("shared", "apart")


@dataclass(frozen=True, slots=True)
class Result:
    """One round: deliveries per second, and per second of the server's processor."""

    rate: float
    per_cpu: float


async def measure(server: ServerProcess, world: World, group: ListenerGroup, sockets: int, events: int) -> Result:
    """Change tasks as fast as possible, until all changes are delivered."""
    group.expect(sockets)
    await world.move()
    await group.have_received(PATIENCE_SECONDS)
    group.expect(sockets * events)
    begun, cpu = time.perf_counter(), server.cpu_seconds
    for _ in range(events):
        await world.move()
    await group.have_received(PATIENCE_SECONDS)
    seconds, cpu_seconds = time.perf_counter() - begun, server.cpu_seconds - cpu
    if group.lost:
        raise RuntimeError(f"{group.lost} sockets were lost")
    return Result(group.received / seconds, group.received / max(cpu_seconds, 1e-3))


async def one_round(urls: tuple[str, str], world: World, way: str, sockets: int) -> Result:
    """One server with its listeners."""
    with serving(*urls, shared=way == "shared", cpu=cores()[0]) as server:
        async with listening(server.port, QUERY, world.tokens(sockets)) as group:
            return await measure(server, world, group, sockets, EVENTS[way, sockets])


async def run(sizes: list[int], rounds: int) -> None:
    """All rounds, and a table."""
    with servers() as running:
        if cores()[1] is not None:
            os.sched_setaffinity(0, {cores()[1] or 0})
        urls = (running.database_url, running.redis_url)
        async with a_world(*urls) as world:
            for sockets in sizes:
                results: dict[str, list[Result]] = {way: [] for way in WAYS}
                for _ in range(rounds):
                    for way in WAYS:
                        results[way].append(await one_round(urls, world, way, sockets))
                _report(sockets, results)


def _report(sockets: int, results: dict[str, list[Result]]) -> None:
    say(f"\n{sockets:,} sockets          deliveries/s (least to most)     per server CPU second")
    for way in WAYS:
        rates, cpu = ([pick(each) for each in results[way]] for pick in (_rate, _per_cpu))
        spread = f"({min(rates):,.0f} to {max(rates):,.0f})"
        say(f"  {way:<8} {median(rates):>18,.0f}  {spread:<22} {median(cpu):>12,.0f}")
    for name, pick in (("deliveries/s", _rate), ("per CPU second", _per_cpu)):
        ratios = [pick(one) / pick(other) for one, other in zip(*(results[way] for way in WAYS), strict=True)]
        say(f"  gain in {name}: {median(ratios):.1f} times ({min(ratios):.1f} to {max(ratios):.1f})")


_rate: Callable[[Result], float] = lambda result: result.rate  # noqa: E731
_per_cpu: Callable[[Result], float] = lambda result: result.per_cpu  # noqa: E731


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="500 sockets only, two rounds")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sizes, rounds = ([500], 2) if options.short else ([500, 5_000], options.rounds)
    uvloop.run(run(sizes, rounds))


if __name__ == "__main__":
    main()
