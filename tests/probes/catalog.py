"""Every kind of probe on every entry point."""

from tests.probes.exchange import Exchange
from tests.probes.operations import GRAPHQL, REST
from tests.probes.probe import Probe
from tests.probes.servers import Servers


def probes_of(servers: Servers) -> list[Probe]:
    """All kinds of probes, with the entry points of these servers."""
    return [
        *(Exchange(entry, operation) for operation in GRAPHQL for entry in servers.graphql),
        *(Exchange(servers.rest, operation) for operation in REST),
    ]
