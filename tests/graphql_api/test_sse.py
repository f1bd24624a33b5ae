"""GraphQL over Server-Sent Events from end to end: what a client sees of it, from its first event to its last."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from asgi.streaming_session import StreamTiming
from domain.stream_cursor import StreamCursor
from graphql_api.auth.tokens import AccessTokens
from persistence.models import UserRow
from tests.graphql_api.stream_client import MOVES, move, position, set_role, stream_cursor, to_and_fro
from tests.graphql_api.test_tasks import STATUS, task_id
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS

EVENTS = "text/event-stream"
ANY_OF_THEM = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"


@dataclass
class Event:
    """A block of the stream: an event, or only an id."""

    name: str | None = None
    data: str | None = None
    id: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The result that it carries."""
        assert self.name == "next", self
        decoded: dict[str, Any] = json.loads(self.data or "")
        return decoded

    @property
    def item(self) -> dict[str, Any]:
        """The one item of a subscription."""
        assert "errors" not in self.body, self
        [item] = self.body["data"].values()
        return dict(item)

    @property
    def codes(self) -> list[str]:
        """The codes of the errors."""
        return [error["extensions"]["code"] for error in self.body["errors"]]


COMPLETE = Event("complete", "")


class Stream:
    """One answer, read event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self.http = response
        self._lines = response.aiter_lines()

    async def block(self) -> Event:
        """The next block, comments and hints left out."""
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                event = Event()
                while line := await anext(self._lines):
                    field, _, value = line.partition(":")
                    if field in ("event", "data", "id"):
                        setattr(event, {"event": "name"}.get(field, field), value.removeprefix(" "))
                if event != Event():
                    return event

    async def event(self) -> Event:
        """The next event that a client would see."""
        while (event := await self.block()).name is None:
            pass
        return event

    async def rest(self) -> list[Event]:
        """All events until the end of the answer."""
        events = []
        try:
            while True:
                events.append(await self.event())
        except StopAsyncIteration:
            return events


@pytest.fixture(scope="module")
async def live(api: Api) -> AsyncIterator[Api]:
    """The API over the network, with signs of life every tenth of a second."""
    usual, api.server.event_timing = api.server.event_timing, StreamTiming(ping=0.1)
    async with serving(api.server.asgi()) as url, httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS) as client:
        yield Api(api.server, api.build, client, api.tokens)
    api.server.event_timing = usual


@asynccontextmanager
async def asked(
    api: Api,
    query: str,
    user: UserRow | str | None,
    /,
    *,
    headers: dict[str, str] | None = None,
    variables: dict[str, Any] | None = None,
    listens: bool | None = None,
) -> AsyncIterator[Stream]:
    """The answer to an operation; if it *listens*, as a subscription does that is not refused, it does so on entry."""
    token = await api.token(user) if isinstance(user, UserRow) else user
    sent = {"accept": EVENTS} | ({"authorization": f"Bearer {token}"} if token else {}) | (headers or {})
    body = {"query": query, "variables": variables or {}}
    before = api.server.stream.subscribers
    async with api.client.stream("POST", "/graphql", json=body, headers=sent) as response:
        if query.startswith("subscription") if listens is None else listens:
            await until(lambda: api.server.stream.subscribers > before)
        yield Stream(response)
    await until(lambda: api.server.stream.subscribers <= before)


class TestEvents:
    async def test_a_move_arrives_with_its_cursor(self, live: Api):
        """Each event is a `next` with the cursor as its id."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with asked(live, MOVES, owner) as stream:
            await move(live, task, "DONE", owner)
            event = await stream.event()

        assert stream.http.status_code == 200
        assert stream.http.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert (stream.http.headers["cache-control"], stream.http.headers["x-accel-buffering"]) == ("no-store", "no")
        assert (event.item["taskId"], event.item["to"]) == (task_id(task), "DONE")
        assert event.id == event.item["cursor"]

    async def test_a_link_can_listen(self, live: Api):
        """A browser's EventSource can only GET."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        headers = {"accept": EVENTS, "authorization": f"Bearer {await live.token(owner)}"}
        async with live.client.stream("GET", "/graphql", params={"query": MOVES}, headers=headers) as response:
            await move(live, task, "DONE", owner)
            assert (await Stream(response).event()).item["to"] == "DONE"

    async def test_queries_and_mutations_go_over_it_too(self, live: Api):
        """One result, then `complete`; what they do to cookies they do here, too."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with asked(live, "{ me { username } }", owner) as stream:
            result, end = await stream.rest()
        assert (result.body, end) == ({"data": {"me": {"username": owner.username}}}, COMPLETE)

        variables = {"input": {"id": task_id(task), "status": "DONE"}}
        async with asked(live, STATUS, owner, variables=variables) as stream:
            result, end = await stream.rest()
        assert (result.body["data"]["updateTaskStatus"]["task"]["status"], end) == ("DONE", COMPLETE)

        async with asked(live, "mutation { logout { userErrors { code } } }", owner) as stream:
            await stream.rest()
        assert "Max-Age=0" in stream.http.headers["set-cookie"]
        del live.tokens[str(owner.id)]

    @pytest.mark.parametrize("query", ["{ nonsense }", "subscription { nonsense }", "subscription {", "fragment"])
    async def test_an_invalid_document_is_an_error_in_the_stream(self, live: Api, query: str):
        """An EventSource cannot read other responses."""
        async with asked(live, query, await live.a_user(), listens=False) as stream:
            result, end = await stream.rest()

        assert stream.http.status_code == 200
        assert (result.codes, end) == (["BAD_REQUEST"], COMPLETE)
        assert result.id is None

    async def test_a_failed_subscription_ends_with_an_error(self, live: Api):
        """For a malformed filter or cursor."""
        async with asked(live, MOVES, await live.a_user(), variables={"after": "nonsense"}, listens=False) as stream:
            result, end = await stream.rest()

        assert (result.codes, end) == (["BAD_REQUEST"], COMPLETE)

    async def test_an_invalid_request_has_an_http_status(self, live: Api):
        """Wrong types, bodies and methods, and mutations by GET, get JSON."""
        headers = {"accept": EVENTS}
        ask = live.client.post
        answers = [
            await ask("/graphql", content="{}", headers=headers | {"content-type": "text/plain"}),
            await ask("/graphql", content="{", headers=headers | {"content-type": "application/json"}),
            await ask("/graphql", json=[], headers=headers),
            await ask("/graphql", json={"query": "x" * 300_000}, headers=headers),
            await live.client.get("/graphql", params={"query": "mutation { logout { __typename } }"}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [415, 400, 400, 413, 405]
        assert all(answer.json()["errors"] for answer in answers)

    async def test_a_client_that_accepts_json_gets_events_for_subscriptions_only(self, live: Api):
        """Some clients accept all types in every request."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with asked(live, "{ me { username } }", owner, headers={"accept": ANY_OF_THEM}) as stream:
            assert stream.http.headers["content-type"].startswith("application/graphql-response+json")
            assert json.loads(await stream.http.aread()) == {"data": {"me": {"username": owner.username}}}
        async with asked(live, MOVES, owner, headers={"accept": ANY_OF_THEM}) as stream:
            await move(live, task, "DONE", owner)
            assert (await stream.event()).item["to"] == "DONE"


class TestResume:
    async def test_last_event_id_goes_before_after(self, live: Api):
        """A client that comes back sends the same request and the last id: the id counts."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        start = await stream_cursor(live, owner)
        async with asked(live, MOVES, owner, variables={"after": start}) as stream:
            await move(live, task, "IN_PROGRESS", owner)
            first = await stream.event()
        await move(live, task, "DONE", owner)
        headers = {"last-event-id": first.id or ""}
        async with asked(live, MOVES, owner, headers=headers, variables={"after": start}) as stream:
            assert (await stream.event()).item["to"] == "DONE"

    async def test_connections_that_break_miss_nothing(self, live: Api):
        """Again and again, while a task keeps moving: every move once, by the ids alone."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        last = await stream_cursor(live, owner)
        versions: list[int] = []
        writing = asyncio.create_task(to_and_fro(live, task, owner, 100))
        positions: list[int] = []
        while len(positions) < 100:
            async with asked(live, MOVES, owner, headers={"last-event-id": last}) as stream:
                for _ in range(min(17, 100 - len(positions))):
                    event = await stream.event()
                    last = event.id or ""
                    positions.append(position(event.item))
                    versions.append(event.item["task"]["version"])
        await writing

        assert positions == sorted(set(positions))
        assert versions == sorted(versions)

    async def test_an_idle_listener_learns_where_it_stands(self, live: Api):
        """An id without an event, when something happened that was not for it; nothing is repeated from there."""
        owner, other = await live.a_user(), await live.a_user()
        noise, task = await live.build.a_task(other), await live.build.a_task(owner)
        async with asked(live, MOVES, owner) as stream:
            begun = await stream.block()
            await move(live, noise, "DONE", other)
            idle = await stream.block()
        assert (begun.name, idle.name) == (None, None)
        assert StreamCursor.decode(idle.id or "").position > StreamCursor.decode(begun.id or "").position

        await move(live, task, "DONE", owner)
        async with asked(live, MOVES, owner, headers={"last-event-id": idle.id or ""}) as stream:
            assert (await stream.event()).item["taskId"] == task_id(task)

    async def test_an_unknown_cursor_gets_a_resync(self, live: Api):
        """As on a socket; the stream continues from the id of this event."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        headers = {"last-event-id": StreamCursor("another", 1, 1).encode()}
        async with asked(live, MOVES, owner, headers=headers) as stream:
            event = await stream.event()
        assert event.item["reason"] == "EPOCH"

        await move(live, task, "DONE", owner)
        async with asked(live, MOVES, owner, headers={"last-event-id": event.id or ""}) as stream:
            assert (await stream.event()).item["to"] == "DONE"


class TestEndings:
    async def test_an_anonymous_client_is_refused(self, live: Api):
        """Without a valid token, UNAUTHENTICATED is the first and last event."""
        for token in (None, "nonsense"):
            async with asked(live, MOVES, token, listens=False) as stream:
                result, end = await stream.rest()
            assert (result.codes, end) == (["UNAUTHENTICATED"], COMPLETE)

    async def test_a_change_of_rights_ends_the_stream(self, live: Api):
        """UNAUTHENTICATED and `complete` within a second; the client must sign in again."""
        user = await live.a_user()
        async with asked(live, MOVES, user) as stream:
            await set_role(live, user, "MODERATOR")
            async with asyncio.timeout(HANG_SECONDS):
                result, end = await stream.rest()

        assert (result.codes, end) == (["UNAUTHENTICATED"], COMPLETE)
        assert live.server.connections.count == 0

    async def test_a_token_ends_with_its_time(self, live: Api):
        """The same, at the instant when the token expires."""
        user, settings = await live.a_user(), live.server.settings
        short = AccessTokens(settings.key_ring, settings.token_issuer, settings.token_audience, timedelta(seconds=1.9))
        issued = short.issue(user.id, (await live.build.a_session(user)).id, datetime.now(UTC))
        async with asked(live, MOVES, issued.token, listens=False) as stream:
            result, end = await stream.rest()

        assert (result.codes, end) == (["UNAUTHENTICATED"], COMPLETE)
        assert datetime.now(UTC) >= issued.expires_at

    async def test_a_process_that_stops_breaks_off(self, live: Api):
        """Without `complete`, which clients take for a broken connection: they come back, and here it is 503 now."""
        owner = await live.a_user()
        async with asked(live, MOVES, owner) as stream:
            await live.server.connections.drain(0.05)
            assert await stream.rest() == []
        async with asked(live, MOVES, owner, listens=False) as stream:
            assert stream.http.status_code == 503
            assert stream.http.headers["retry-after"] == "5"
        live.server.connections._draining = False

    async def test_a_user_has_so_many(self, live: Api, monkeypatch: pytest.MonkeyPatch):
        """One more gets 429 and when to try again; sockets and streams count together."""
        owner = await live.a_user()
        monkeypatch.setattr(live.server.connections, "_per_user", 1)
        async with asked(live, MOVES, owner), asked(live, MOVES, owner, listens=False) as second:
            assert second.http.status_code == 429
            assert json.loads(await second.http.aread())["errors"][0]["extensions"]["code"] == "RATE_LIMITED"

    async def test_a_disconnect_frees_the_subscriber(self, live: Api):
        """Its place is free, too."""
        owner = await live.a_user()
        for _ in range(5):
            async with asked(live, MOVES, owner):
                assert live.server.connections.count == 1
            await until(lambda: live.server.connections.count == 0)


class TestPages:
    async def test_a_page_of_another_site_is_refused(self, live: Api):
        """403; a page of the server is allowed."""
        owner = await live.a_user()
        foreign = {"origin": "https://evil.example"}
        async with asked(live, MOVES, owner, headers=foreign, listens=False) as stream:
            assert stream.http.status_code == 403
        async with asked(live, MOVES, owner, headers={"origin": str(live.client.base_url).rstrip("/")}) as stream:
            assert stream.http.status_code == 200
            assert stream.http.headers["access-control-allow-origin"]

    async def test_a_page_may_send_the_last_id(self, live: Api):
        """The preflight allows the header."""
        origin = str(live.client.base_url).rstrip("/")
        headers = {"origin": origin, "access-control-request-method": "POST"}
        answer = await live.client.options("/graphql", headers=headers)
        assert "last-event-id" in answer.headers["access-control-allow-headers"]
