"""What a plan gives up costs no more than the question itself."""

from typing import Any

import pytest

from tests.support.api import Api

PAGE = "query ($after: String!) { tasks(after: $after) { nodes { id } } }"


async def test_who_asks_in_vain_costs_no_connection(api: Api, monkeypatch: pytest.MonkeyPatch):
    """However often a plan is left, since an argument breaks a rule, its connection is used again."""
    lending, user = api.server.database._lending, await api.a_user()
    dropped: list[Any] = []
    for _ in range(2):  # from its second sighting on, the document has a plan
        await api.ask(PAGE, user, after="no cursor")
    give_back = lending.give_back

    def note(connection: Any, error: BaseException | None = None) -> None:
        give_back(connection, error)
        dropped.extend([connection] if connection.is_closed() else [])

    monkeypatch.setattr(lending, "give_back", note)
    answer = await api.ask(PAGE, user, after="no cursor")

    assert answer.codes == ["BAD_REQUEST"]
    assert dropped == []
