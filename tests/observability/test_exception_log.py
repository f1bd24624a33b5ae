"""An unexpected exception is logged, for every transport, without the client's input."""

from typing import Any

import pytest

from services import task_creation
from tests.graphql_api.test_tasks import CREATE
from tests.support.api import Api
from tests.support.log import Log
from tests.support.serving import serving
from tests.support.websocket_client import connected

TITLE = "canary title"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Creating a task fails with an exception that quotes the title, and a cause that does so, too."""

    async def create_task(uow: object, *, title: str, **rest: Any) -> None:
        try:
            dict[str, str]()[title]
        except KeyError as error:
            raise ValueError(f"cannot make {title!r}") from error

    monkeypatch.setattr(task_creation, "create_task", create_task)


@pytest.mark.usefixtures("broken")
class TestABug:
    async def test_over_http(self, api: Api, log: Log):
        """GraphQL."""
        answer = await api.ask(CREATE, await api.a_user(), input={"title": TITLE})
        assert answer.codes == ["INTERNAL"]
        self._is_reported(api, log, "http", answer.http.headers["x-request-id"])

    async def test_over_rest(self, api: Api, log: Log):
        """The older API."""
        headers = {"authorization": f"Bearer {await api.token(await api.a_user())}"}
        answer = await api.client.post("/api/v1/tasks/", json={"title": TITLE}, headers=headers)
        assert answer.status_code == 500
        self._is_reported(api, log, "rest", answer.headers["x-request-id"])

    async def test_over_a_socket(self, api: Api, log: Log):
        """GraphQL on a socket."""
        token = await api.token(await api.a_user())
        async with serving(api.server.asgi()) as url, connected(url) as socket:
            await socket.init({"token": token})
            await socket.subscribe("1", CREATE, input={"title": TITLE})
            answer = await socket.receive()
            assert (await socket.receive())["type"] == "complete"
        self._is_reported(api, log, "ws", answer["payload"]["errors"][0]["extensions"]["requestId"])

    @staticmethod
    def _is_reported(api: Api, log: Log, door: str, request_id: str) -> None:
        [error] = [line for line in log.lines if line["level"] == "error"]
        assert request_id in error["event"]
        assert "KeyError" in error["exception"]
        assert error["exception"].endswith("ValueError")
        api.server.requests.flush()
        [request] = [line for line in log.requests() if line["request_id"] == request_id]  # others may end late
        assert (request["door"], request["code"], request["request_id"]) == (door, "INTERNAL", request_id)
        assert TITLE not in log.text
