"""The short form of `make contract`: responses to generated requests match the description."""

import re
from collections.abc import Callable

from tests.rest_api.contract import try_contract


async def test_generated_requests_are_answered_as_described(
    new_database: Callable[[], str], new_redis: Callable[[], str]
):
    """Schemathesis finds no failure in a hundred requests, good and bad ones, on a server of its own."""
    code, report = await try_contract(
        new_database(), new_redis(), *("--phases", "fuzzing"), *("--max-examples", "5", "--seed", "7")
    )
    assert code == 0, report
    cases = re.search(r"(\d+) generated", report)
    assert cases is not None
    assert int(cases[1]) >= 40, report
