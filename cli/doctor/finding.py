"""The result of one check, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """The state of what was checked; the worst is last."""

    OK = "ok"
    WARNING = "look"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. *advice* is empty if there is nothing to do."""

    name: str
    state: State
    detail: str
    advice: str = ""

    def to_json(self) -> dict[str, Any]:
        """The finding as an object of `--json`."""
        return {"name": self.name, "state": self.state, "told": self.detail, "advice": self.advice}


def worst(findings: Iterable[Finding]) -> State:
    """The worst state of the findings."""
    order = list(State)
    return max((finding.state for finding in findings), key=order.index, default=State.OK)


def make_finding(name: str, detail: str, *, bad: str = "", warning: str = "") -> Finding:
    """A finding: bad if *bad* has advice, a warning if *warning* has advice, else ok."""
    if bad:
        return Finding(name, State.BAD, detail, bad)
    return Finding(name, State.WARNING if warning else State.OK, detail, warning)
