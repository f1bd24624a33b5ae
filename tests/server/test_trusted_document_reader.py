"""Processes learn of documents that are added and removed, and prepare them before they are sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import graphql_api.execution.compiled_executor as compiled_executor
import graphql_api.execution.documents as documents_module
import persistence.queries.reader as reader
from domain.actor import OPERATOR
from domain.errors import Unavailable
from domain.trusted_document import digest_of
from graphql_api.schema.ids import encode_id
from persistence.queries.statement import Statement
from services.trusted_document import remove_trusted_documents
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.log import Log
from tests.support.trusted_documents import CHANGES, add, document, prepared
from tests.support.waiting import HANG_SECONDS

TASKS = """query Tasks($first: Int!, $search: String, $full: Boolean!) {
  tasks(first: $first, filter: {search: $search}) {
  totalCount nodes { id title owner { username } comments(first: 2) @include(if: $full) { nodes { text } } } } }"""
TASK = "query Task($id: ID!) { task(id: $id) { title project { key } } }"
MOVE = """mutation Move($input: UpdateTaskStatusInput!) {
  updateTaskStatus(input: $input) { task { title owner { username } } userErrors { code } } }"""
INVALID = "{ nothing }"
REQUIRE = {"trusted_documents": "require"}


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database."""
    return new_database()


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[Api]:
    """An API that requires trusted documents, and makes plans as in production."""
    async with an_api(database_url, redis_url, REQUIRE, plans_at_first_request=False) as api:
        yield api


async def known(api: Api, text: str, *, is_known: bool = True) -> None:
    """Wait until the process knows a document, or does not know it any more."""
    trusted = api.server.trusted
    assert trusted is not None
    async with asyncio.timeout(HANG_SECONDS):
        while (text in trusted.texts) is not is_known:
            await asyncio.sleep(0.02)


async def ask(api: Api, text: str, by: Any, **variables: Any) -> dict[str, Any]:
    """The response to a request by id."""
    sent = {"documentId": digest_of(text), "variables": variables}
    headers = {"authorization": f"Bearer {await api.token(by)}"}
    found: dict[str, Any] = (await api.client.post("/graphql", json=sent, headers=headers)).json()
    return found


class Work:
    """How often texts are parsed and validated, plans are made, and statements are compiled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        for place, name in (
            (documents_module, "parse"),
            (documents_module, "validate"),
            (compiled_executor, "plan_of"),
            (Statement, "of"),
        ):
            self._count(monkeypatch, place, name)

    def _count(self, monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> None:
        original = getattr(place, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            self.done.append(name)
            return original(*arguments, **named)

        monkeypatch.setattr(place, name, counted)


class TestPreparing:
    async def test_the_first_request_finds_everything_done(self, api: Api, monkeypatch: pytest.MonkeyPatch):
        """Nothing is parsed, validated, planned or compiled, for users and moderators, as at the tenth request."""
        reader._statement.cache_clear()
        texts = [TASKS, TASK, MOVE]
        await add(api.server.database, [document(text) for text in texts])
        await api.server.document_reader.read()
        await prepared(api)
        user = await api.a_user()
        task = await api.build.a_task(user)
        warm = await ask(api, TASK, user, id="VGFzazo")  # signs in and opens a connection
        assert "errors" in warm

        work = Work(monkeypatch)
        task_id = encode_id("Task", task.id)
        answers = [
            await ask(api, TASKS, user, first=5, full=True),
            await ask(api, TASKS, user, first=5, full=False),
            await ask(api, TASK, user, id=task_id),
            await ask(api, MOVE, user, input={"id": task_id, "status": "DONE"}),
        ]

        assert [each for each in answers if "errors" in each] == []
        assert work.done == []

    async def test_others_do_not_displace_them(self, api: Api):
        """They have a separate cache; in the other one, the least recently used document makes room."""
        await add(api.server.database, [document(CHANGES)])
        await api.server.document_reader.read()
        await prepared(api)
        documents = api.server.documents
        for number in range(1_100):
            documents.get(f"{{ a{number}: __typename }}")

        assert not documents.knows("{ a0: __typename }")
        assert documents.knows(CHANGES)

    async def test_a_document_that_became_invalid_is_named(self, api: Api, no_secrets_in_logs: Log):
        """After an upgrade, for example. The others are prepared."""
        await add(api.server.database, [document(INVALID), document(CHANGES)])
        await api.server.document_reader.read()
        await prepared(api)

        assert "a trusted document is not valid in this version" in no_secrets_in_logs.text
        assert f"{digest_of(INVALID)} of web" in no_secrets_in_logs.text
        assert api.server.documents.knows(CHANGES)
        response = await ask(api, INVALID, await api.a_user())
        assert response["errors"][0]["extensions"]["code"] == "BAD_REQUEST"

    async def test_a_fault_is_logged_and_does_not_stop_the_others(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, no_secrets_in_logs: Log
    ):
        """The document is planned at its first request."""
        compiled = api.server.compiled
        assert compiled is not None
        plan = compiled.plan_ahead

        def faulty(found: Any) -> None:
            assert found.text != TASK
            plan(found)

        monkeypatch.setattr(compiled, "plan_ahead", faulty)
        await add(api.server.database, [document(TASK), document(TASKS)])
        await api.server.document_reader.read()
        await prepared(api)

        assert "a trusted document was not prepared" in no_secrets_in_logs.text
        assert api.server.documents.get(TASKS).plans


class TestProcesses:
    async def test_each_learns_of_changes(self, database_url: str, redis_url: str, api: Api):
        """Within a second or so, and without a request."""
        user = await api.a_user()
        async with an_api(database_url, redis_url, REQUIRE) as other:
            assert (await ask(other, TASK, user, id="x"))["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_FOUND"
            await add(api.server.database, [document(TASK)])
            for process in (api, other):
                await known(process, TASK)
                assert "DOCUMENT_NOT_FOUND" not in str(await ask(process, TASK, user, id="x"))
            uow = api.server.database.unit_of_work(OPERATOR)
            await remove_trusted_documents(uow, client="web", ids=[digest_of(TASK)])
            for process in (api, other):
                await known(process, TASK, is_known=False)
                response = await ask(process, TASK, user, id="x")
                assert response["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_FOUND"

    async def test_a_document_may_be_replaced(self, api: Api):
        """The numbers of rows are the same before and after, and the change is noticed."""
        await add(api.server.database, [document(TASK)])
        await known(api, TASK)
        uow = api.server.database.unit_of_work(OPERATOR)
        await remove_trusted_documents(uow, client="web", ids=[digest_of(TASK)])
        await add(api.server.database, [document(TASKS)])

        await known(api, TASKS)
        await known(api, TASK, is_known=False)

    async def test_without_the_database_nothing_stored_is_known(
        self, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ):
        """An id may be a trusted one, so the client may try again. Own documents are known."""

        async def away(uow: object) -> None:
            raise Unavailable("The database is away.")

        with monkeypatch.context() as patch:
            patch.setattr("server.trusted_document_reader.trusted_documents_revision", away)
            async with an_api(database_url, redis_url, REQUIRE) as api:
                user = await api.a_user()
                own = api.server.trusted
                assert own is not None
                for text in (TASK, "{ __typename }"):
                    response = await ask(api, text, user)
                    assert response["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
                board = next(text for text in own.texts if "query Projects" in text)
                assert "data" in await ask(api, board, user)
