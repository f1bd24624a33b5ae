"""`Idempotency-Key` in the REST API: a repeated request is executed once."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.rest_api.support import Rest


def a_key() -> dict[str, str]:
    """The header with a new key."""
    return {"idempotency-key": str(uuid4())}


class TestKey:
    async def test_repeated_requests_create_one_task(self, rest: Rest):
        """Twenty concurrent requests and a later one have the same response."""
        visitor, key = await rest.a_visitor(), a_key()

        async def send() -> tuple[int, bytes, str]:
            answer = await rest.send("POST", "/tasks/", visitor, json={"title": "One"}, headers=key)
            return answer.status_code, answer.content, answer.headers["etag"]

        answers = {*await asyncio.gather(*(send() for _ in range(20))), await send()}
        assert len(answers) == 1
        assert answers.pop()[0] == 201
        assert len((await rest.send("GET", "/tasks/", visitor)).json()) == 1

    @pytest.mark.parametrize(
        ("method", "body"), [("PUT", {"title": "Other"}), ("PATCH", {"completed": True}), ("DELETE", None)]
    )
    async def test_a_change_is_made_once(self, rest: Rest, method: str, body: Any):
        """A change under the condition of a version succeeds again under its key, though the version has gone on."""
        visitor, key = await rest.a_visitor(), a_key()
        task = (await rest.send("POST", "/tasks/", visitor, json={"title": "One"})).json()
        path, headers = f"/tasks/{task['uuid']}", key | {"if-match": '"1"'}
        answers = [await rest.send(method, path, visitor, json=body, headers=headers) for _ in range(3)]

        assert {answer.status_code for answer in answers} == {204 if body is None else 200}
        assert len({answer.content for answer in answers}) == 1
        if body is not None:
            assert answers[2].headers["etag"] == '"2"'

    async def test_put_and_patch_are_one_request(self, rest: Rest):
        """With and without the last slash."""
        visitor, key = await rest.a_visitor(), a_key()
        task = (await rest.send("POST", "/tasks/", visitor, json={"title": "One"})).json()
        for method, slash in (("PUT", ""), ("PATCH", "/"), ("PUT", "/")):
            path = f"/tasks/{task['uuid']}{slash}"
            answer = await rest.send(method, path, visitor, json={"title": "Two"}, headers=key)
            assert (answer.status_code, answer.json()["version"]) == (200, 2)

    async def test_another_body_is_a_conflict(self, rest: Rest):
        """409, and nothing is changed."""
        visitor, key = await rest.a_visitor(), a_key()
        await rest.send("POST", "/tasks/", visitor, json={"title": "One"}, headers=key)
        answer = await rest.send("POST", "/tasks/", visitor, json={"title": "Two"}, headers=key)

        assert answer.status_code == 409
        assert len((await rest.send("GET", "/tasks/", visitor)).json()) == 1

    async def test_a_task_that_is_gone_is_not_found(self, rest: Rest):
        """When the task was deleted since, its creation sent again is 404 and creates no other one."""
        visitor, key = await rest.a_visitor(), a_key()
        task = (await rest.send("POST", "/tasks/", visitor, json={"title": "One"}, headers=key)).json()
        await rest.send("DELETE", f"/tasks/{task['uuid']}", visitor)
        answer = await rest.send("POST", "/tasks/", visitor, json={"title": "One"}, headers=key)

        assert answer.status_code == 404
        assert (await rest.send("GET", "/tasks/", visitor)).json() == []
