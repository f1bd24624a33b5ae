"""Eight hundred probes find no leak, an eighth of them in `make test`. `make probes` makes a hundred thousand."""

from tests.probes.operations import GRAPHQL, REST
from tests.probes.run import Run
from tests.probes.servers import Servers
from tests.support.amount import cases

PROBES = cases(800)
SEED = 1


async def test_no_probe_finds_a_leak(servers: Servers):
    """Each refused request has a control that succeeds."""
    tally = await Run(servers, SEED).go(range(PROBES))

    assert tally.faults == []
    assert tally.probes.total() == PROBES
    assert min(tally.controls.values()) > 0
    assert all(tally.controls[entry] >= tally.refused[entry] for entry in tally.probes)
    assert tally.refused.total() > PROBES / 3


def test_each_operation_has_a_name_of_its_own():
    """The name is in the description of a fault."""
    names = [each.name for each in (*GRAPHQL, *REST)]
    assert len(set(names)) == len(names)
