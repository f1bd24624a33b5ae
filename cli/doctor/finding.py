"""The result of one check, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class CheckState(StrEnum):
    """The state of what was checked; the worst is last."""

    OK = "ok"
    WARNING = "look"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the table. *advice* is empty if there is nothing to do."""

    name: str
    state: CheckState
    detail: str
    advice: str = ""

    def to_json(self) -> dict[str, Any]:
        """The finding as an object of `--json`."""
        return {"name": self.name, "state": self.state, "told": self.detail, "advice": self.advice}


def worst(findings: Iterable[CheckResult]) -> CheckState:
    """The worst state of the findings."""
    order = list(CheckState)
    return max((finding.state for finding in findings), key=order.index, default=CheckState.OK)


def make_finding(name: str, detail: str, *, bad: str = "", warning: str = "") -> CheckResult:
    """A finding: bad if *bad* has advice, a warning if *warning* has advice, else ok."""
    if bad:
        return CheckResult(name, CheckState.BAD, detail, bad)
    return CheckResult(name, CheckState.WARNING if warning else CheckState.OK, detail, warning)
