"""Twenty faults while users write, listen, join projects and leave them: no event is lost, and no user receives a
forbidden event. `make chaos` runs a hundred.
"""

from tests.chaos.fault_run import FaultRun
from tests.chaos.faults import FAULTS
from tests.chaos.outcome import details
from tests.chaos.stack import Stack
from tests.support.figures import Figures

CYCLES = 20


async def test_twenty_faults(stack: Stack, figures: Figures):
    """After each fault all listeners receive all events, and the checker finds no fault."""
    outcome = await FaultRun(stack, projects=True).run(CYCLES, FAULTS)
    changes = len(outcome.history.membership_writes)
    figures.note(f"{outcome.line()}, {changes} changes of memberships")

    assert outcome.report.findings == [], "\n".join(details(outcome))
    assert outcome.logged_errors == []
    assert outcome.report.acknowledged > 20
    assert changes > 20
