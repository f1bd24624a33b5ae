"""Notes, on both executors: read, paged, written, changed, delivered and replayed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.event_parsing import read_event
from domain.events import People
from domain.note import NoteEvent
from domain.task import TaskStatus
from domain.unknown_events import SkippedEvent
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence import migrations
from persistence.models import TaskRow, UserRow
from tests.graphql_api.stream_client import CHANGES, Listener, assign, delete, move, signed_in
from tests.graphql_api.test_tasks import task_id
from tests.support import executors
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.executors import Executor
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS

FIELDS = "id text version author { username }"
NOTE = f"query ($id: ID!) {{ note(id: $id) {{ {FIELDS} }} }}"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on Note {{ {FIELDS} }} }} }}"
PAGE = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { task(id: $id) {
  notes(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { text author { username } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
CREATE = f"""mutation ($input: CreateNoteInput!) {{ createNote(input: $input) {{
  note {{ {FIELDS} }} userErrors {{ message code path }} }} }}"""
UPDATE = f"""mutation ($input: UpdateNoteInput!) {{ updateNote(input: $input) {{
  note {{ {FIELDS} }} userErrors {{ message code path }} }} }}"""
LISTEN = f"""subscription ($filter: TaskStreamFilter, $after: String) {{
  noteChanged(filter: $filter, after: $after) {{
    __typename cursor taskId task {{ title }} ... on NoteChanged {{ note {{ {FIELDS} }} }} }} }}"""


@pytest.fixture(scope="module")
async def servers(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[dict[Executor, Api]]:
    """The API over the network, once for each executor."""
    async with AsyncExitStack() as running:
        found: dict[Executor, Api] = {}
        for executor in Executor:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(executors, "_chosen", executor)
                api = await running.enter_async_context(an_api(new_database(), new_redis()))
            url = await running.enter_async_context(serving(api.server.asgi()))
            client = await running.enter_async_context(httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS))
            found[executor] = Api(api.server, api.build, client, api.tokens)
        yield found


@pytest.fixture(params=Executor)
def live(request: pytest.FixtureRequest, servers: dict[Executor, Api]) -> Api:
    """The API with one of the executors."""
    return servers[request.param]


async def ask(api: Api, query: str, by: UserRow, /, **variables: Any) -> dict[str, Any]:
    """The data of an answer. With the compiled executor, a plan has made it."""
    compiled = api.server.compiled
    before = (compiled.compiled_count, compiled.general_count) if compiled is not None else (0, 0)
    data = (await api.ask(query, by, **variables)).data
    assert compiled is None or (compiled.compiled_count, compiled.general_count) == (before[0] + 1, before[1])
    return data


async def write(api: Api, task: TaskRow, text: str, by: UserRow) -> dict[str, Any]:
    """A new note."""
    payload = (await ask(api, CREATE, by, input={"taskId": task_id(task), "text": text}))["createNote"]
    assert payload["userErrors"] == []
    return dict(payload["note"])


async def edit(api: Api, note: dict[str, Any], text: str, by: UserRow) -> dict[str, Any]:
    """The changed note."""
    payload = (await ask(api, UPDATE, by, input={"id": note["id"], "text": text}))["updateNote"]
    assert payload["userErrors"] == []
    return dict(payload["note"])


@asynccontextmanager
async def listening(api: Api, who: UserRow, query: str = LISTEN, **variables: Any) -> AsyncIterator[Listener]:
    """A socket with a subscription."""
    async with signed_in(api, who) as listener:
        await listener.listen(query, "1", **variables)
        yield listener


class TestReading:
    async def test_a_note_is_found_by_its_id(self, live: Api):
        """By `note` and by `node`; it is null for users who may not see the task."""
        owner, assignee, outsider = await live.a_user(), await live.a_user(), await live.a_user()
        task = await live.build.a_task(owner, assignee_id=assignee.id)
        note = await write(live, task, " First! ", owner)

        assert note == {"id": note["id"], "text": "First!", "version": 1, "author": {"username": owner.username}}
        for user in (owner, assignee, await live.a_user(Role.MODERATOR)):
            assert await ask(live, NOTE, user, id=note["id"]) == {"note": note}
            assert (await ask(live, NODE, user, id=note["id"]))["node"] == {"__typename": "Note", **note}
        assert await ask(live, NOTE, outsider, id=note["id"]) == {"note": None}
        assert await ask(live, NODE, outsider, id=note["id"]) == {"node": None}

    async def test_pages_go_forward_and_backward(self, live: Api):
        """Each page continues where the one before it ends, and says whether there are more."""
        owner = await live.a_user()
        task, empty = await live.build.a_task(owner), await live.build.a_task(owner)
        texts = [(await write(live, task, f"{number}", owner))["text"] for number in range(5)]

        async def page(of: TaskRow = task, **arguments: Any) -> tuple[list[str], dict[str, Any]]:
            found = (await ask(live, PAGE, owner, id=task_id(of), **arguments))["task"]["notes"]
            return [edge["node"]["text"] for edge in found["edges"]], found["pageInfo"]

        first, ends = await page(first=2)
        assert (first, ends["hasPreviousPage"], ends["hasNextPage"]) == (texts[:2], False, True)
        second, ends = await page(first=2, after=ends["endCursor"])
        assert (second, ends["hasPreviousPage"], ends["hasNextPage"]) == (texts[2:4], True, True)
        third, ends = await page(first=2, after=ends["endCursor"])
        assert (third, ends["hasPreviousPage"], ends["hasNextPage"]) == (texts[4:], True, False)
        back, ends = await page(last=3, before=ends["startCursor"])
        assert (back, ends["hasPreviousPage"], ends["hasNextPage"]) == (texts[1:4], True, True)
        assert (await page(last=3, before=ends["startCursor"]))[0] == texts[:1]
        assert (await page(empty, first=2))[0] == []


class TestWriting:
    async def test_a_change_and_its_event_are_one_transaction(self, live: Api):
        """The event has the version of the note and the people of the task; the same text changes nothing."""
        owner, assignee = await live.a_user(), await live.a_user()
        task = await live.build.a_task(owner, assignee_id=assignee.id)
        note = await write(live, task, "one", assignee)
        assert (await edit(live, note, "two", assignee))["version"] == 2
        assert (await edit(live, note, "two", assignee))["version"] == 2

        events, people = await live.build.events_by(assignee.id), People(owner.id, assignee.id)
        found = [
            (event.version, event.before, event.after, encode_id("Note", event.note_id))
            for event in events
            if isinstance(event, NoteEvent)
        ]
        assert found == [(1, people, people, note["id"]), (2, people, people, note["id"])]
        assert len(events) == 2

    async def test_refusals_are_user_errors(self, live: Api):
        """They name the input field and store nothing."""
        owner, assignee, outsider = await live.a_user(), await live.a_user(), await live.a_user()
        task = await live.build.a_task(owner, assignee_id=assignee.id)
        note = await write(live, task, "mine", owner)
        on_task, on_note = {"taskId": task_id(task)}, {"id": note["id"]}
        refused: list[tuple[str, UserRow, dict[str, Any], str, list[str]]] = [
            (CREATE, owner, on_task | {"text": " "}, "INVALID", ["text"]),
            (CREATE, outsider, on_task | {"text": "x"}, "NOT_FOUND", ["taskId"]),
            (UPDATE, outsider, on_note | {"text": "x"}, "NOT_FOUND", ["id"]),
            (UPDATE, assignee, on_note | {"text": "x"}, "FORBIDDEN", ["id"]),
            (UPDATE, owner, on_note | {"text": "x", "expectedVersion": 9}, "CONFLICT", ["expectedVersion"]),
        ]
        for query, user, given, code, path in refused:
            await live.token(user)
            await live.numbered()
            async with live.build.unchanged():
                [payload] = (await ask(live, query, user, input=given)).values()
            assert payload["note"] is None
            assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [(code, path)]

    async def test_an_idempotency_key_writes_once(self, live: Api):
        """A repeated request gets the same note; another request with the key is refused."""
        owner = await live.a_user()
        task, key = await live.build.a_task(owner), {"idempotency-key": str(uuid4())}

        async def send(text: str) -> dict[str, Any]:
            answer = await live.ask(CREATE, owner, headers=key, input={"taskId": task_id(task), "text": text})
            return dict(answer.data["createNote"])

        first = await send("once")
        assert await send("once") == first
        assert (await send("twice"))["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH"
        assert len(await live.build.events_by(owner.id)) == 1


class TestStream:
    async def test_an_event_reaches_those_who_may_see_the_task(self, live: Api):
        """The owner, the assignee and a moderator receive notes. A subscriber to tasks receives none."""
        owner, assignee, outsider = await live.a_user(), await live.a_user(), await live.a_user()
        moderator = await live.a_user(Role.MODERATOR)
        task, other = await live.build.a_task(owner, assignee_id=assignee.id), await live.build.a_task(outsider)
        async with (
            listening(live, owner) as hers,
            listening(live, assignee) as his,
            listening(live, moderator) as theirs,
            listening(live, outsider) as strange,
            listening(live, owner, CHANGES) as tasks,
        ):
            note = await write(live, task, "hello", assignee)
            changed = await edit(live, note, "good day", assignee)
            for listener in (hers, his, theirs):
                items = [await listener.receive(), await listener.receive()]
                assert [item["__typename"] for item in items] == ["NoteChanged", "NoteChanged"]
                assert items[-1]["note"] == changed
                assert (items[-1]["taskId"], items[-1]["task"]) == (task_id(task), {"title": task.title})

            own = await write(live, other, "for myself", outsider)
            assert (await strange.receive())["note"] == own
            await move(live, task, "DONE", owner)
            assert (await tasks.receive())["changes"] == ["STATUS"]

    async def test_missed_events_are_replayed(self, live: Api):
        """From the cursor of an item, exactly the later ones, for the tasks of the filter."""
        owner = await live.a_user()
        task, other = await live.build.a_task(owner), await live.build.a_task(owner)
        only = {"taskIds": [task_id(task)]}
        async with listening(live, owner, filter=only) as listener:
            await write(live, task, "received", owner)
            cursor = (await listener.receive())["cursor"]
        await write(live, other, "filtered", owner)
        missed = [await write(live, task, text, owner) for text in ("missed", "too")]
        async with listening(live, owner, filter=only, after=cursor) as listener:
            assert [(await listener.receive())["note"] for _ in missed] == missed
            assert (await write(live, task, "live", owner)) == (await listener.receive())["note"]

    async def test_a_subscriber_learns_that_the_task_is_gone(self, live: Api):
        """It gets `TaskGone` and `TaskDeleted`, and no notes that were written in between."""
        owner, assignee = await live.a_user(), await live.a_user()
        task = await live.build.a_task(owner, assignee_id=assignee.id)
        async with listening(live, assignee) as his, listening(live, owner) as hers:
            await assign(live, task, None, owner)
            note = await write(live, task, "between us", owner)
            assert (await his.receive())["__typename"] == "TaskGone"
            assert (await hers.receive())["note"] == note
            await assign(live, task, assignee, owner)
            await delete(live, task, owner)
            assert (await hers.receive())["__typename"] == "TaskDeleted"
            assert (await his.receive())["__typename"] == "TaskDeleted"
        assert await ask(live, NOTE, owner, id=note["id"]) == {"note": None}


def test_a_damaged_event_is_skipped():
    """Its payload is read completely or not at all; further keys are ignored."""
    people = People(UUID(int=1), None)
    event = NoteEvent(
        task_id=UUID(int=2),
        note_id=UUID(int=3),
        version=1,
        to_status=TaskStatus.TODO,
        before=people,
        after=people,
        actor_id=UUID(int=1),
        at=datetime.now(UTC),
        request_id=None,
    )
    payload = event.to_json()
    assert read_event("NOTE", payload | {"more": 1}) == event
    for damaged in ({}, None, payload | {"version": "1"}, payload | {"to": "BLOCKED"}, payload | {"note": 3}):
        assert read_event("NOTE", damaged) == SkippedEvent("NOTE")


async def test_the_migration_makes_the_tables_of_the_models(live: Api):
    """Alembic finds no difference."""
    async with live.build.database.connect() as connection:
        assert await migrations.differences(connection) == []
