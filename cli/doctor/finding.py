"""What was found at one place, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it is; later is worse."""

    OK = "ok"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. *advice* is empty where there is nothing to do."""

    name: str
    state: State
    told: str
    advice: str = ""


def worst(findings: Iterable[Finding]) -> State:
    """The worst state among them."""
    order = list(State)
    return max((finding.state for finding in findings), key=order.index, default=State.OK)


def judged(name: str, told: str, *, bad: str = "", look: str = "") -> Finding:
    """A finding that is bad or wants to be looked at if there is an advice for that."""
    if bad:
        return Finding(name, State.BAD, told, bad)
    return Finding(name, State.LOOK if look else State.OK, told, look)
