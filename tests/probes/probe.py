"""What all kinds of probes have in common."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from tests.probes.servers import Servers
from tests.probes.world import World


@dataclass(frozen=True)
class Ground:
    """The servers, and the objects in their database. Mutants are looked for without positive controls."""

    servers: Servers
    world: World
    has_controls: bool = True


@dataclass
class Result:
    """The result of one probe: whether the request was to be refused, the positive controls, and the differences."""

    is_refused: bool = False
    controls: int = 0
    faults: list[str] = field(default_factory=list)

    def note(self, where: object, found: Iterable[str]) -> None:
        """Add differences."""
        self.faults += [f"{where}: {each}" for each in found]


class Probe(Protocol):
    """A kind of probe on one entry point."""

    @property
    def entry(self) -> str:
        """The name of the entry point."""

    @property
    def name(self) -> str:
        """What is sent."""

    async def run(self, ground: Ground, chance: Random) -> Result:
        """Make one probe with any actor and object."""
