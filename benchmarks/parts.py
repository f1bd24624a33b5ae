"""The parts of a comparison. Each is measured round by round, so that a comparison can be continued later."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import uvloop

from benchmarks import fanout
from benchmarks.baselines import commits
from benchmarks.environment import Stage, searchable
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.results import Measurement
from benchmarks.rounds import Match, Plan
from benchmarks.workloads import WRITES, Workload


class Part(Protocol):
    """Something that is measured."""

    @property
    def name(self) -> str:
        """The name of the part on the command line."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its measurements, up to the first slash."""

    @property
    def about(self) -> str:
        """A short description."""

    @property
    def weight(self) -> float:
        """The time of a round, in ordinary measurements of a workload, see `TimeLimit`."""

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        """The rounds from *first* on, each with all participants."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Workloads of requests. All of them are measured in each round, so their ratios are ratios within a round."""

    workloads: Sequence[Workload]
    peers: Sequence[Peer]

    @property
    def name(self) -> str:
        return ", ".join(self.workloads)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(workload.value for workload in self.workloads)

    @property
    def about(self) -> str:
        return "; ".join(workload.about for workload in self.workloads)

    @property
    def weight(self) -> float:
        return sum(workload in peer.workloads for workload in self.workloads for peer in self.peers)

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        bare = Workload.W3 in self.workloads and commits.NAME in {peer.name for peer in self.peers}
        for some in Match(self._stage(ground), self.workloads, self.peers, plan).play(first):
            yield [*some, self._commits(ground, plan, some[0].round)] if bare else some

    def _stage(self, ground: Stage) -> Stage:
        # The board searches tasks.
        return (
            replace(ground, theirs=uvloop.run(searchable(ground.theirs))) if Workload.W10 in self.workloads else ground
        )

    def _commits(self, ground: Stage, plan: Plan, number: int) -> Measurement:
        uvloop.run(ground.rewind(PEERS["ours"]))
        return commits.measure(ground, plan.seconds, number)


@dataclass(frozen=True, slots=True)
class Delivery:
    """W5: the delivery of events."""

    peers: Sequence[Peer]
    name: str = fanout.WHAT
    names: tuple[str, ...] = (fanout.WHAT,)
    about: str = f"{fanout.EVENTS} changes in a burst, delivered to {fanout.SOCKETS} sockets: deliveries"

    @property
    def weight(self) -> float:
        return sum(peer.endpoint is not None for peer in self.peers)

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        for number in range(first, plan.rounds):
            yield fanout.play(ground, self.peers, number)


NAMES: tuple[str, ...] = tuple(sorted((*Workload, fanout.WHAT), key=lambda name: int(name[1:])))
"""All workloads."""


def workloads(peers: Sequence[Peer], names: Sequence[str] = ()) -> list[Part]:
    """The workloads with these names, or all. The writes are one part."""
    groups = [(Workload.W1,), (Workload.W2,), (Workload.W4,), WRITES, (Workload.W10,)]
    chosen = [tuple(each for each in group if not names or each in names) for group in groups]
    parts: list[Part] = [Answering(group, peers) for group in chosen if group]
    return [*parts, Delivery(peers)] if not names or fanout.WHAT in names else parts
