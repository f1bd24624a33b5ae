"""Wrong decisions after a failover, each of which the histories must notice."""

from typing import Any

from streaming import history
from streaming.history import History, Verdict
from tests.simulation.mutants import Patch


def _continue_with_the_last_event(self: History, seen: Any, now: float) -> Verdict:
    """A change that is lost may have been visible in a page, or in the row of an earlier event."""
    return Verdict.REMEMBER


FAILOVER_MUTANTS: dict[str, list[Patch]] = {
    "a promotion continues the epoch if the last event is there": [
        (History, "_judge_promotion", _continue_with_the_last_event),
        (History, "_doubts", lambda self, epoch, seen: False),
    ],
    "the last event is not looked for": [(history, "_has_another_past", lambda epoch, request, seen: False)],
}
"""The mutants: a description, and the patches."""
