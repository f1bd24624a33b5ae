"""Every kind of probe on every entry point."""

from cli.transfer.formats import Format
from tests.probes.departure import Departure
from tests.probes.exchange import Exchange
from tests.probes.export import Export
from tests.probes.filters import FILTERS
from tests.probes.listeners import ENTRIES, TASK_SOCKET, TRANSPORTS
from tests.probes.operations import GRAPHQL, REST
from tests.probes.probe import Probe
from tests.probes.project_subscription import ProjectSubscription
from tests.probes.servers import Servers
from tests.probes.subscription import COMMENTS, Subscription

FIELDS = ("taskStatusChanged", "taskChanged", COMMENTS)
SUBSCRIPTIONS: tuple[Subscription | ProjectSubscription, ...] = (
    *(
        Subscription(transport, field, each)
        for transport in TRANSPORTS
        for field in FIELDS
        for each in FILTERS
        if transport != TASK_SOCKET
    ),
    Subscription(TASK_SOCKET, FIELDS[0], FILTERS[0]),
    *(ProjectSubscription(transport) for transport in ENTRIES),
)


def probes_of(servers: Servers) -> list[Probe]:
    """All kinds of probes, with the entry points of these servers."""
    return [
        *(Exchange(entry, operation) for operation in GRAPHQL for entry in servers.graphql),
        *(Exchange(servers.rest, operation) for operation in REST),
        *SUBSCRIPTIONS,
        *(Departure(transport) for transport in TRANSPORTS for _ in range(2)),
        *(Export(each) for each in Format),
    ]
