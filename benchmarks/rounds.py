"""Rounds: all peers in turn, so that other load of the machine affects all of them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import uvloop

from benchmarks import answer_checks, dataset
from benchmarks.dataset import MODERATORS
from benchmarks.dialects import Plain
from benchmarks.environment import Stage, row_id, token_for
from benchmarks.load import Load, put_under_load, write_requests
from benchmarks.peers.catalogue import Peer
from benchmarks.process import ServerProcess, everywhere
from benchmarks.results import Measurement
from benchmarks.workloads import PAGE_SIZE, Case, Workload, cases

FIRST_WARM_UP_SECONDS = 3
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each peer is put under load, and how often."""

    seconds: int = 5
    rounds: int = 3
    alone: bool = True
    """Whether it is also asked over one connection, one request at a time."""
    alone_seconds: int = 2
    warm_up: int = 1
    """How many seconds before each measurement that is not a peer's first one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is different from the comparison proper, where a cost is to be seen growing.

    `what` names the measurements; `person` asks, who is no moderator from the 51st on; a server that runs `everywhere`
    is not pinned to its core.
    """

    what: str = ""
    first: int = PAGE_SIZE
    person: int = 1
    everywhere: bool = False


class Match:
    """One workload, and its started and checked participants."""

    def __init__(
        self, stage: Stage, workload: Workload, peers: Sequence[Peer], plan: Plan, setting: Setting | None = None
    ) -> None:
        self._stage = stage
        self._workload = workload
        self._peers = peers
        self._plan = plan
        self._setting = setting or Setting(workload)
        self._cases = cases(workload, stage.tasks, self._setting.first)
        self._warm: set[str] = set()

    def play(self, first_round: int) -> Iterator[list[Measurement]]:
        """One list for each round.

        Raises:
            AssertionError: a peer's responses are wrong.
        """
        with ExitStack() as running:
            servers = [(peer, running.enter_context(self._start(peer))) for peer in self._peers]
            for peer, server in servers:
                self._check(peer, server)
            for number in range(first_round, self._plan.rounds):
                # In alternating order, so that a trend between measurements favours no peer.
                in_turn = servers if number % 2 == 0 else servers[::-1]
                yield [self._measure(peer, server, number) for peer, server in in_turn]

    def _start(self, peer: Peer) -> AbstractContextManager[ServerProcess]:
        return self._stage.start(peer, cpu=everywhere()) if self._setting.everywhere else self._stage.start(peer)

    def _check(self, peer: Peer, server: ServerProcess) -> None:
        self._rewind()
        some = self._cases[: answer_checks.SAMPLE]
        right = uvloop.run(self._expected(some))
        asked = list(zip(some, right, strict=True))
        token, dialect = token_for(peer, self._setting.person), peer.dialect.value
        answer_checks.check(peer.name, server.port, token, dialect, self._workload, asked)
        answer_checks.check_endpoints(peer.name, server.port, token, dialect, self._stage.tasks[-1])

    async def _expected(self, some: Sequence[Case]) -> list[Plain]:
        if self._setting.person <= MODERATORS:
            return await answer_checks.expected(self._stage.theirs, self._workload, some)
        return await answer_checks.expected(
            self._stage.ours, self._workload, some, seen_by=row_id(f"u{self._setting.person}")
        )

    def _measure(self, peer: Peer, server: ServerProcess, number: int) -> Measurement:
        self._rewind()
        file = self._stage.folder / f"{self._workload}-{peer.name}.requests"
        write_requests(file, [peer.dialect.value.request(self._workload, case) for case in self._cases])
        token = token_for(peer, self._setting.person)

        def load(seconds: int, connections: int = 32) -> Load:
            return put_under_load(server.port, file, token, seconds, connections)

        if warm_up := self._plan.warm_up if peer.name in self._warm else FIRST_WARM_UP_SECONDS:
            load(warm_up)
        self._warm.add(peer.name)
        self._rewind()
        server.forget_peak()
        before = self._changes()
        began, cpu = time.perf_counter(), server.cpu_seconds
        under_load = load(self._plan.seconds)
        used = server.cpu_seconds - cpu
        made = self._changes() - before
        numbers = {
            "p50": under_load.p50,
            "p95": under_load.p95,
            "p99": under_load.p99,
            "longest": under_load.longest,
            "memory": server.peak / MEGABYTE,
            "busy": used / (time.perf_counter() - began),
            "per_cpu": under_load.requests / used,
        }
        if self._plan.alone:
            self._rewind()
            numbers["alone"] = load(self._plan.alone_seconds, 1).p50
        if under_load.errors:
            raise RuntimeError(f"{peer.name} failed {under_load.errors} of {under_load.requests} {self._workload}")
        if peer.is_ours and self._workload is Workload.W3 and made < under_load.requests:
            raise RuntimeError(f"Of {under_load.requests} moves only {made} were made")
        return Measurement(self._setting.what, peer.name, number, under_load.rate, numbers)

    def _changes(self) -> int:
        return uvloop.run(dataset.changes(self._stage.ours)) if self._workload is Workload.W3 else 0

    def _rewind(self) -> None:
        if self._workload is Workload.W3:
            uvloop.run(dataset.rewind(self._stage.ours, self._stage.theirs))
