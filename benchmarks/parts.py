"""What a comparison is made of: parts, each played round by round, so that it can be made in pieces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import uvloop

from benchmarks import dataset, fanout
from benchmarks.baselines import commits
from benchmarks.environment import Stage
from benchmarks.peers.catalogue import Peer
from benchmarks.results import Measurement
from benchmarks.rounds import Match, Plan
from benchmarks.workloads import Workload


class Part(Protocol):
    """One thing that is measured."""

    @property
    def name(self) -> str:
        """What its measurements begin with."""

    @property
    def about(self) -> str:
        """What it is, in a few words."""

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        """The rounds from *first* on, each with all participants."""


@dataclass(frozen=True, slots=True)
class Answering:
    """W1 to W4."""

    workload: Workload
    peers: Sequence[Peer]

    @property
    def name(self) -> str:
        return self.workload.value

    @property
    def about(self) -> str:
        return self.workload.about

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        asked = [peer for peer in self.peers if peer.answers]
        bare = self.workload is Workload.W3 and commits.NAME in {peer.name for peer in self.peers}
        for some in Match(ground, self.workload, asked, plan).play(first):
            yield [*some, self._commits(ground, plan, some[0].round)] if bare else some

    def _commits(self, ground: Stage, plan: Plan, number: int) -> Measurement:
        uvloop.run(dataset.rewind(ground.ours, ground.theirs))
        return commits.measure(ground, plan.seconds, number)


@dataclass(frozen=True, slots=True)
class Delivery:
    """W5."""

    peers: Sequence[Peer]
    name: str = fanout.WHAT
    about: str = f"{fanout.EVENTS} changes in a burst, delivered to {fanout.SOCKETS} sockets: deliveries"

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        for number in range(first, plan.rounds):
            yield fanout.play(ground, self.peers, number)


def workloads(peers: Sequence[Peer], names: Sequence[str] = ()) -> list[Part]:
    """The five workloads, or those that are named."""
    parts: list[Part] = [*(Answering(workload, peers) for workload in Workload), Delivery(peers)]
    return [part for part in parts if not names or part.name in names]
