"""An acknowledged change is never lost from the stream."""

import itertools

from verification.client.account import Account
from verification.promises.stack import PASSWORD, Measured, Outcome, Stack
from verification.stream_test import Plan, StreamTest

SECONDS = 5.0


async def prove(stack: Stack) -> Measured:
    """What `taskriver verify-stream` does, at two processes in turn: writers, listeners, faults, and a judge."""
    name, _ = stack.somebody(stack.first)
    turns = itertools.cycle([stack.api(stack.first), stack.api(stack.second)])
    trial = StreamTest(
        Account(lambda: next(turns), name, PASSWORD), Plan(4, 4, SECONDS, faults=True), lambda text: None
    )
    report = await trial.run()
    told = f"{report.acknowledged:,} acknowledged, {report.delivered:,} delivered, {len(report.findings)} faults"
    return Measured(told, Outcome.of(report.clean and report.acknowledged > 0))
