"""The subscribers of W10: sockets that receive status changes while requests are sent."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from anyio.from_thread import BlockingPortal, start_blocking_portal

from benchmarks.cases import Case
from benchmarks.change_counts import moves_among
from benchmarks.fanout import query_of
from benchmarks.listeners import GRAPHQL, ListenerGroup, listening
from benchmarks.peers.catalogue import Peer

SUBSCRIBERS: Final = 10
_LEAST_DELAYS: Final = 20
_TIMEOUT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What the subscribers of a peer receive, in a thread with its own event loop."""

    portal: BlockingPortal
    group: ListenerGroup

    def restart(self) -> None:
        """Count from zero, when the deliveries of earlier requests have arrived."""
        self.portal.call(self.group.be_quiet)
        self.portal.call(self.group.expect, 0)

    def delays(self) -> dict[str, float]:
        """Milliseconds from the start of a change to its frame, in the timed sockets, when all frames have arrived."""
        self.portal.call(self.group.be_quiet)
        return percentiles(self.group.delays)

    def check(self, name: str, cases: Sequence[Case], requests: int) -> None:
        """Wait until every move among the requests has reached every subscriber.

        Raises:
            RuntimeError: some were not delivered.
        """
        wanted = self.group.sockets * moves_among(cases, requests)
        try:
            self.portal.call(self.group.have_received_at_least, wanted, _TIMEOUT_SECONDS)
        except TimeoutError:
            raise RuntimeError(f"{name} delivered {self.group.received} of {wanted} moves") from None


@contextmanager
def subscribed(port: int, peer: Peer, tokens: list[str]) -> Iterator[Deliveries]:
    """One subscribed socket for each token."""
    with start_blocking_portal(backend_options={"use_uvloop": True}) as portal:
        group = listening(port, query_of(peer), tokens, peer.endpoint or GRAPHQL)
        with portal.wrap_async_context_manager(group) as running:
            yield Deliveries(portal, running)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """The median and the 95th percentile in milliseconds; nothing if there are too few."""
    if len(seconds) < _LEAST_DELAYS:
        return {}
    found = quantiles(seconds, n=100, method="inclusive")
    return {"delivery_p50": found[49] * 1_000, "delivery_p95": found[94] * 1_000}
