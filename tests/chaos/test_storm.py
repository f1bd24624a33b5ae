"""Twenty faults while people write and listen: nothing is lost, and nobody hears what they may not.

`make chaos` does a hundred.
"""

from tests.chaos.conftest import Numbers
from tests.chaos.stack import Stack
from tests.chaos.storm import Storm, details

CYCLES = 20


async def test_twenty_faults(stack: Stack, numbers: Numbers):
    """After each of twenty faults everybody has been told everything, and the judge finds nothing."""
    outcome = await Storm(stack).run(CYCLES)
    numbers.note(outcome.line())

    assert outcome.report.findings == [], "\n".join(details(outcome))
    assert outcome.complaints == []
    assert outcome.report.acknowledged > 20
