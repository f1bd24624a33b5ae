"""The time to answer expensive documents."""

import httpx

from tests.graphql_api import hostile_input
from tests.support.api import Api
from tests.support.figures import Figures
from tests.timings.clock import timed


async def test_hostile_documents(api: Api, figures: Figures):
    """The slowest of them, by its name."""
    seconds: dict[str, float] = {}
    for name, text in hostile_input.attacks():
        taken: list[float] = []
        with timed(taken):
            answer: httpx.Response = (await api.ask(text)).http
        assert answer.status_code in (200, 400)
        seconds[name] = taken[0]
    figures.times("hostile document, answered", list(seconds.values()))
    figures.note(f"the slowest hostile document: {max(seconds, key=lambda name: seconds[name])}")
