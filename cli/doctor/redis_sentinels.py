"""Checks the Sentinels: whether all answer and agree, and whether they can replace the master."""

from collections.abc import Sequence
from typing import Any, Final

from cli.doctor.finding import CheckResult, make_finding
from streaming.redis_url import Address, RedisTarget
from streaming.sentinel import Sentinels

NAME: Final = "redis sentinels"
FEWEST: Final = 3
"""With two Sentinels, the one that remains has no majority, and does not replace the master."""

State = dict[str, Any]
"""The state of the master as one Sentinel sees it: the answer of SENTINEL MASTER."""


async def check(sentinels: Sentinels, target: RedisTarget) -> CheckResult:
    """Ask each Sentinel of the URL. At least one has answered before."""
    answers = await sentinels.states()
    states = [each for each in answers if isinstance(each, dict)]
    silent = [
        address for address, answer in zip(target.addresses, answers, strict=True) if not isinstance(answer, dict)
    ]
    known = max((int(each["num-other-sentinels"]) + 1 for each in states), default=0)
    replicas = max((int(each["num-slaves"]) for each in states), default=0)
    return make_finding(
        NAME,
        f"{len(states)} of {len(answers)} in REDIS_URL answer, {known} known, {_plural(replicas, 'replica')}",
        warning=_advice(target, states, silent, known, replicas),
    )


def _advice(target: RedisTarget, states: Sequence[State], silent: Sequence[Address], known: int, replicas: int) -> str:
    if silent:
        places = ", ".join(f"{host}:{port}" for host, port in silent)
        return f"Start {'the Sentinel' if len(silent) == 1 else 'the Sentinels'} at {places}, or correct REDIS_URL."
    if len({(each["ip"], each["port"]) for each in states}) > 1:
        return "They name different masters: wait for the end of the failover, or check the network between them."
    if known < FEWEST:
        return f"Run {FEWEST} Sentinels: if one of fewer is lost, the others cannot replace the master."
    if len(target.addresses) < known:
        return f"Name all {known} Sentinels in REDIS_URL: it names {len(target.addresses)}."
    return "" if replicas else "Start a replica: without one no other server can become the master."


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
