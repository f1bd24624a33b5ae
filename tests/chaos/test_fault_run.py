"""Twenty faults while people write and listen: nothing is lost, and nobody hears what they may not.

`make chaos` does a hundred.
"""

from tests.chaos.fault_run import FaultRun, details
from tests.chaos.stack import Stack
from tests.support.figures import Figures

CYCLES = 20


async def test_twenty_faults(stack: Stack, figures: Figures):
    """After each of twenty faults everybody has been told everything, and the judge finds nothing."""
    outcome = await FaultRun(stack).run(CYCLES)
    figures.note(outcome.line())

    assert outcome.report.findings == [], "\n".join(details(outcome))
    assert outcome.logged_errors == []
    assert outcome.report.acknowledged > 20
