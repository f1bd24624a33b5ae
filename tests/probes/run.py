"""A run of probes: each cycle has every kind of probe on every entry point once, in an order of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.probes.catalog import probes_of
from tests.probes.cursors import add_cursors
from tests.probes.probe import Ground, Probe
from tests.probes.servers import Servers
from tests.probes.tally import Tally
from tests.probes.world import World

MAX_FAULTS: Final = 20
"""Differences after which a run ends."""


@dataclass
class Run:
    """The probes of a seed on running servers. Probe number *n* is the same in every run with this seed."""

    servers: Servers
    seed: int
    has_controls: bool = True
    tally: Tally = field(default_factory=Tally)

    async def go(self, numbers: Iterable[int], *, at_most: int = MAX_FAULTS) -> Tally:
        """Make the probes with these numbers, until there are too many faults."""
        ground = await self._ground()
        kinds = probes_of(self.servers)
        for number in numbers:
            probe = self._chosen(kinds, number)
            if await self._is_faulty(probe, ground, number):
                if len(self.tally.faults) >= at_most:
                    break
                ground = await self._ground()  # what has changed the objects of a world has made it useless
        await self.servers.sockets.close()
        return self.tally

    async def _ground(self) -> Ground:
        await self.servers.sockets.close()
        world = await World.prepared(self.servers.api)
        await add_cursors(world)
        return Ground(self.servers, world, self.has_controls)

    def _chosen(self, kinds: list[Probe], number: int) -> Probe:
        cycle, place = divmod(number, len(kinds))
        return Random(f"{self.seed} cycle {cycle}").sample(kinds, len(kinds))[place]

    async def _is_faulty(self, probe: Probe, ground: Ground, number: int) -> bool:
        result = await probe.run(ground, Random(f"{self.seed} probe {number}"))
        tally, entry = self.tally, probe.entry
        tally.probes[entry] += 1
        tally.refused[entry] += result.is_refused
        tally.controls[entry] += result.controls
        tally.faulty[entry] += bool(result.faults)
        tally.faults += [f"seed {self.seed}, probe {number}: {entry}, {probe.name}, {each}" for each in result.faults]
        return bool(result.faults)
