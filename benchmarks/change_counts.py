"""Checks that the responses to a load were changes: a refusal in GraphQL has the status 200."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import uvloop

from benchmarks.cases import Case, Operation
from benchmarks.load import CONNECTIONS
from benchmarks.rewind import count_tasks, events_after, last_event
from benchmarks.workloads import Workload


def writes_among(cases: Sequence[Case], requests: int) -> int:
    """The least number of changes among this number of answered requests.

    One request of each connection is not answered at the end. All of them may be changes that were sent long ago.
    """
    return max(0, sum(case.operation.writes for case in islice(cycle(cases), requests)) - CONNECTIONS)


def moves_among(cases: Sequence[Case], requests: int) -> int:
    """The least number of moves among this number of answered requests."""
    return max(0, sum(case.operation is Operation.MOVE for case in islice(cycle(cases), requests)) - CONNECTIONS)


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """Counts changes in a database: by its events if there are any, otherwise by its tasks (W6 and W9 only)."""

    url: str
    by_events: bool

    def read(self, workload: Workload) -> int:
        """A mark before the load; pass it to `check`."""
        if not workload.writes:
            return 0
        return uvloop.run(last_event(self.url) if self.by_events else count_tasks(self.url))

    def check(self, name: str, workload: Workload, cases: Sequence[Case], requests: int, before: int) -> None:
        """Compare the number of changes with the number of requests.

        Raises:
            RuntimeError: some requests were no changes, or there were more deletions than tasks.
        """
        if workload is Workload.W9 and requests > len(cases):
            raise RuntimeError(
                f"{name} deleted all {len(cases)} tasks that are prepared: "
                "use a greater TASKS and DELETABLE in benchmarks/dataset.py."
            )
        if not workload.writes or not (self.by_events or workload in (Workload.W6, Workload.W9)):
            return
        made = self._made(before)
        if made < writes_among(cases, requests):
            raise RuntimeError(f"Of {requests} requests of {workload} {name} made only {made} changes")

    def _made(self, before: int) -> int:
        if self.by_events:
            return uvloop.run(events_after(self.url, before))
        return abs(uvloop.run(count_tasks(self.url)) - before)
