"""Responses with many long texts: which are encoded in parts, how, and that their length is limited."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from domain.errors import TooExpensive
from graphql_api.execution import large_response
from graphql_api.execution.documents import Documents
from graphql_api.execution.large_response import MAX_BYTES, encode_in_parts
from graphql_api.execution.response import Response
from graphql_api.root import schema
from tests.support.api import Api

LISTS = {
    "tasks": {"nodes": [{"title": "a", "owner": {"id": "1"}, "history": {"nodes": [1, 2]}}, None, {"title": "ü"}]},
    "empty": {"nodes": []},
    "me": {"id": "1"},
    "none": None,
}
LONG = "x" * 10_000


class TestEncoding:
    @pytest.mark.parametrize(
        "body",
        [
            {"data": LISTS},
            {"data": None, "errors": [{"message": "no", "path": ["a", 0]}]},
            {"data": {"at": datetime(2026, 1, 1, tzinfo=UTC)}},
            {"data": {"list": [], "object": {}}},
        ],
        ids=["lists", "errors", "time", "empty"],
    )
    async def test_the_json_is_the_same(self, body: dict[str, Any]):
        """Byte for byte."""
        response = Response(body)
        await encode_in_parts(response)
        assert response.encoded == orjson.dumps(body, option=orjson.OPT_UTC_Z)
        assert response.to_text(request_id="id") == orjson.dumps(body, option=orjson.OPT_UTC_Z).decode()

    async def test_other_work_continues_between_parts(self, monkeypatch: pytest.MonkeyPatch):
        """A response of several parts gives way to other tasks after each of them."""
        monkeypatch.setattr(large_response, "PART_BYTES", 30_000)
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await encode_in_parts(Response({"data": {"nodes": [{"description": LONG}] * 30}}))
        counting.cancel()
        assert turns >= 6

    async def test_a_longer_response_is_refused(self):
        """The message says what to do."""
        nodes = [{"description": LONG}] * (MAX_BYTES // len(LONG))
        await encode_in_parts(Response({"data": {"nodes": nodes[:-100]}}))
        with pytest.raises(TooExpensive, match="longer than 16 MB"):
            await encode_in_parts(Response({"data": {"nodes": nodes}}))


class TestChoice:
    @pytest.mark.parametrize(
        ("text", "large"),
        [
            ("{ tasks(first: 100) { nodes { id title description } } }", False),
            ("query ($n: Int) { tasks(first: $n) { nodes { description } } }", False),
            ('query ($id: ID!) { task(id: $id) { description } }', False),
            ("{ tasks(first: 100) { nodes { a: description b: description c: description } } }", True),
            ("{ tasks(first: 100) { nodes { ...F ...F b: description } } } fragment F on Task { description }", True),
            ("query ($n: Int) { tasks(first: $n) { nodes { a: description b: description c: description } } }", True),
        ],
    )  # fmt: skip
    def test_only_many_long_texts_are_encoded_in_parts(self, text: str, large: bool):
        """Pages as clients request them are encoded at once, which is faster."""
        assert bool(Documents(schema).get(text).large) is large


async def test_a_query_with_many_long_texts(api: Api, monkeypatch: pytest.MonkeyPatch):
    """The response is that of smaller requests, or an error that says what to do; over the compiled executor too."""
    owner = await api.a_user()
    task = await api.build.a_task(api.build.actor(owner), title="One", description=LONG)
    text = "{ tasks(first: 100) { nodes { title a: description b: description c: description } } }"
    for _ in range(2):
        answer = await api.ask(text, owner)
        assert answer.data == {"tasks": {"nodes": [{"title": task.title, "a": LONG, "b": LONG, "c": LONG}]}}
    monkeypatch.setattr(large_response, "MAX_BYTES", 20_000)
    for _ in range(2):
        answer = await api.ask(text, owner)
        assert answer.body["data"] is None
        assert answer.codes == ["TOO_EXPENSIVE"]
