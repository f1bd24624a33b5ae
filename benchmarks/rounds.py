"""Rounds: all peers in turn, so that other load of the machine affects all of them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import uvloop

from benchmarks import answer_checks, dataset
from benchmarks.answer_checks import SAMPLE
from benchmarks.cases import PAGE_SIZE, Case, sample
from benchmarks.change_counts import ChangeCount
from benchmarks.dialects import Plain
from benchmarks.environment import Stage, token_for
from benchmarks.load import CONNECTIONS, Load, put_under_load, write_requests
from benchmarks.peers.catalogue import Peer
from benchmarks.process import MEGABYTE, ServerProcess, everywhere
from benchmarks.results import Measurement
from benchmarks.subscribers import SUBSCRIBERS, Deliveries, subscribed
from benchmarks.workloads import Workload, cases

FIRST_WARM_UP_SECONDS = 3
_SHARE_OF_CASES = 0.7
"""The rate after the warm-up can be higher."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each peer is put under load, and the number of rounds."""

    seconds: int = 5
    rounds: int = 3
    alone: bool = True
    """Whether it is also measured with one connection, one request at a time."""
    alone_seconds: int = 2
    warm_up: int = 1
    """The seconds before each measurement of a peer after its first one."""
    first_warm_up: int = FIRST_WARM_UP_SECONDS


@dataclass(frozen=True, slots=True)
class Setting:
    """The differences from the ordinary comparison, for the curves.

    `what` is the name of the measurements. `person` sends the requests; from the 51st on they are not moderators. A
    server that runs `everywhere` is not pinned to its core. `subscribers` is the number of sockets of W10.
    """

    what: str = ""
    first: int = PAGE_SIZE
    person: int = 1
    everywhere: bool = False
    subscribers: int = SUBSCRIBERS


@dataclass(frozen=True, slots=True)
class Entry:
    """A peer in a workload, running, with its requests in a file."""

    peer: Peer
    server: ServerProcess
    workload: Workload
    cases: Sequence[Case]
    requests: Path
    token: str

    def load(self, seconds: float, connections: int = CONNECTIONS) -> Load:
        """Send the requests.

        Raises:
            RuntimeError: the peer refused some.
        """
        load = put_under_load(self.server.port, self.requests, self.token, seconds, connections)
        if load.errors:
            raise RuntimeError(f"{self.peer.name} failed {load.errors} of {load.requests} {self.workload}")
        return load


class Match:
    """Workloads, and their participants, whose responses are checked first."""

    def __init__(
        self,
        stage: Stage,
        workloads: Sequence[Workload],
        peers: Sequence[Peer],
        plan: Plan,
        setting: Setting | None = None,
    ) -> None:
        self._stage = stage
        self._peers = [peer for peer in peers if peer.workloads.intersection(workloads)]
        self._plan = plan
        self._setting = setting or Setting()
        self._cases = {workload: cases(workload, stage.tasks, self._setting.first) for workload in workloads}
        self._rates: dict[tuple[Workload, str], float] = {}

    def play(self, first_round: int) -> Iterator[list[Measurement]]:
        """One list for each round.

        Raises:
            AssertionError: a peer's responses are wrong.
        """
        with ExitStack() as running:
            servers = [(peer, running.enter_context(self._start(peer))) for peer in self._peers]
            entries = [self._entry(workload, *server) for workload in self._cases for server in servers]
            taking_part = [entry for entry in entries if entry.workload in entry.peer.workloads]
            if any(workload.writes for workload in self._cases):
                uvloop.run(self._stage.rewind_all())  # an earlier run may have been interrupted
            for entry in taking_part:
                self._check(entry)
            for number in range(first_round, self._plan.rounds):
                # In alternating order, so that a trend between measurements favours no peer.
                in_turn = taking_part if number % 2 == 0 else taking_part[::-1]
                yield [self._measure(entry, number) for entry in in_turn]

    def _start(self, peer: Peer) -> AbstractContextManager[ServerProcess]:
        return self._stage.start(peer, cpu=everywhere()) if self._setting.everywhere else self._stage.start(peer)

    def _entry(self, workload: Workload, peer: Peer, server: ServerProcess) -> Entry:
        file = self._stage.folder / f"{workload}-{peer.name}.requests"
        return Entry(peer, server, workload, self._cases[workload], file, token_for(peer, self._setting.person))

    def _check(self, entry: Entry) -> None:
        write_requests(entry.requests, [entry.peer.dialect.value.request(case) for case in entry.cases])
        some = sample(entry.cases, SAMPLE)
        asked = list(zip(some, uvloop.run(self._expected(some)), strict=True))
        peer, dialect, port = entry.peer, entry.peer.dialect.value, entry.server.port
        url = self._stage.database_of(peer)
        answer_checks.check(peer.name, port, entry.token, dialect, url, asked)
        answer_checks.check_endpoints(peer.name, port, entry.token, dialect, self._stage.tasks[-1])
        self._rewind(entry)

    async def _expected(self, some: Sequence[Case]) -> list[Plain]:
        if self._setting.person <= dataset.MODERATORS:
            return await answer_checks.expected(self._stage.theirs, some)
        person = dataset.row_id(f"u{self._setting.person}")
        return await answer_checks.expected(self._stage.ours, some, seen_by=person)

    def _measure(self, entry: Entry, number: int) -> Measurement:
        try:
            with ExitStack() as listening:
                deliveries = self._subscribe(entry, listening)
                rate, numbers = self._numbers(entry, deliveries)
        finally:
            self._rewind(entry)
        return Measurement(self._setting.what or entry.workload, entry.peer.name, number, rate, numbers)

    def _subscribe(self, entry: Entry, listening: ExitStack) -> Deliveries | None:
        if entry.workload is not Workload.W10 or entry.peer.endpoint is None:
            return None
        people = [token_for(entry.peer, person) for person in range(1, dataset.MODERATORS + 1)]
        tokens = list(islice(cycle(people), self._setting.subscribers))
        return listening.enter_context(subscribed(entry.server.port, entry.peer, tokens))

    def _numbers(self, entry: Entry, deliveries: Deliveries | None) -> tuple[float, dict[str, float]]:
        self._warm_up(entry)
        self._rewind(entry)
        entry.server.forget_peak()
        load, used, took = self._verified(entry, deliveries)
        delays = deliveries.delays() if deliveries is not None else {}
        numbers = {
            "p50": load.p50,
            "p95": load.p95,
            "p99": load.p99,
            "longest": load.longest,
            "memory": entry.server.peak / MEGABYTE,
            "busy": used / took,
            "per_cpu": load.requests / used,
            **delays,
        }
        if self._plan.alone:
            self._rewind(entry)
            alone, used, _ = _timed(entry, self._plan.alone_seconds, 1)
            numbers |= {"alone": alone.p50, "alone_per_cpu": alone.requests / max(used, 1e-2)}
        return load.rate, numbers

    def _verified(self, entry: Entry, deliveries: Deliveries | None) -> "Timed":
        """Put the peer under load; fail if requests were refused or moves were not delivered."""
        changes = ChangeCount(self._stage.database_of(entry.peer), entry.peer.records_events)
        before = changes.read(entry.workload)
        if deliveries is not None:
            deliveries.restart()
        timed = _timed(entry, self._seconds(entry))
        requests = timed[0].requests
        changes.check(entry.peer.name, entry.workload, entry.cases, requests, before)
        if deliveries is not None:
            deliveries.check(entry.peer.name, entry.cases, requests)
        return timed

    def _warm_up(self, entry: Entry) -> None:
        key = (entry.workload, entry.peer.name)
        if seconds := self._plan.warm_up if key in self._rates else self._plan.first_warm_up:
            self._rates[key] = entry.load(seconds).rate

    def _seconds(self, entry: Entry) -> int:
        if entry.workload is not Workload.W9:
            return self._plan.seconds
        return seconds_for(self._plan.seconds, len(entry.cases), self._rates[entry.workload, entry.peer.name])

    def _rewind(self, entry: Entry) -> None:
        if entry.workload.writes:
            uvloop.run(self._stage.rewind(entry.peer))


def seconds_for(seconds: int, cases: int, rate: float) -> int:
    """At most *seconds*, so that there are enough *cases* at this rate of the warm-up, and at least one."""
    return max(1, min(seconds, int(_SHARE_OF_CASES * cases / rate)))


Timed = tuple[Load, float, float]
"""What the load generator counted, the server's processor time, and the time that went by."""


def _timed(entry: Entry, seconds: float, connections: int = CONNECTIONS) -> Timed:
    began, cpu = time.perf_counter(), entry.server.cpu_seconds
    load = entry.load(seconds, connections)
    return load, entry.server.cpu_seconds - cpu, time.perf_counter() - began
