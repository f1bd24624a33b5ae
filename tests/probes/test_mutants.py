"""The probes notice faults in the rules of access."""

import pytest

from tests.probes.mutants import MUTANTS, Mutant
from tests.probes.run import Run
from tests.probes.servers import Servers

ENOUGH = 2_000
SEED = 5


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
async def test_a_fault_is_noticed(servers: Servers, mutant: Mutant):
    """Most within the first few hundred probes; the run stops at the first fault."""
    with mutant.made():
        tally = await Run(servers, SEED, has_controls=False).go(range(ENOUGH), at_most=1)

    assert tally.faults, mutant.name
