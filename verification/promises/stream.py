"""An acknowledged change is never lost from the stream."""

import itertools

from verification.client.account import Account
from verification.promises.stack import PASSWORD, Measured, Outcome, Stack
from verification.stream_test import StreamTest, StreamTestPlan

SECONDS = 5.0


async def prove(stack: Stack) -> Measured:
    """Run the test of `taskriver verify-stream` on two processes alternately."""
    name, _ = stack.new_user(stack.first)
    turns = itertools.cycle([stack.api(stack.first), stack.api(stack.second)])
    trial = StreamTest(
        Account(lambda: next(turns), name, PASSWORD), StreamTestPlan(4, 4, SECONDS, faults=True), lambda text: None
    )
    report = await trial.run()
    value = f"{report.acknowledged:,} acknowledged, {report.delivered:,} delivered, {len(report.findings)} faults"
    return Measured(value, Outcome.of(report.clean and report.acknowledged > 0))
