"""ETag, If-Match and If-None-Match prevent lost updates."""

import asyncio

import pytest

from domain.errors import BadRequest
from rest_api.etags import etag, expected_versions, known_tag
from tests.rest_api.support import Rest, Visitor
from tests.rest_api.test_contract import task_of


def if_match(*values: bytes) -> list[tuple[bytes, bytes]]:
    """Headers with conditions among others."""
    return [(b"host", b"x"), *((b"if-match", value) for value in values)]


class TestTags:
    @pytest.mark.parametrize(
        ("values", "versions"),
        [
            ((), None),
            ((b"*",), None),
            ((b" * ",), None),
            ((b'"3"',), {3}),
            ((b'"3", "5"',), {3, 5}),
            ((b'"3"', b'"5"'), {3, 5}),
            ((b'"3",,"5" ,',), {3, 5}),
            ((b'W/"3"',), set()),
            ((b'W/"3", "4"',), {4}),
            ((b'"abc"',), set()),
            ((b'""',), set()),
            ((b'"03"',), set()),
            ((b'"99999999999999999999"',), set()),
            ((b'"1,2"',), set()),
            ((b'"3-gzip"',), {3}),
            ((b'"3-br"',), set()),
        ],
    )
    def test_if_match_is_read_as_the_standard_says(self, values: tuple[bytes, ...], versions: set[int] | None):
        """`*` and its absence allow any version; a list its members; weak and foreign tags match nothing."""
        found = expected_versions(if_match(*values))
        assert (None if found is None else set(found)) == versions

    @pytest.mark.parametrize("value", [b"", b"3", b'"3', b'"3" x', b"w/*", b'*, "3"', b"\xff"])
    def test_a_malformed_condition_is_refused(self, value: bytes):
        """It does not count as absent."""
        with pytest.raises(BadRequest, match="If-Match must be"):
            expected_versions(if_match(value))

    @pytest.mark.parametrize(
        ("value", "known"),
        [
            (None, None),
            (b"*", b'"3"'),
            (b'"3"', b'"3"'),
            (b'W/"3"', b'"3"'),
            (b'"2", W/"3"', b'"3"'),
            (b'"3-gzip"', b'"3-gzip"'),
            (b'"2", W/"3-gzip", "3"', b'"3-gzip"'),
            (b'"2"', None),
        ],
    )
    def test_if_none_match_compares_weakly(self, value: bytes | None, known: bytes | None):
        """What a cache holds is known by its tag, even if a proxy has weakened it."""
        assert known_tag([(b"if-none-match", value)] if value is not None else [], 3) == known

    def test_a_tag_is_the_version_in_quotes(self):
        """The tag of a response can be sent back."""
        assert expected_versions(if_match(etag(7))) == frozenset({7})


async def change(rest: Rest, visitor: Visitor, path: str, title: str, condition: str) -> tuple[int, str | None]:
    """The status and the tag of an answer to a conditional change."""
    response = await rest.send("PUT", path, visitor, json={"title": title}, headers={"if-match": condition})
    return response.status_code, response.headers.get("etag")


class TestConditions:
    async def test_a_change_of_another_version_is_412_with_the_current_tag(self, rest: Rest):
        """The response has the current tag, and nothing is changed."""
        visitor = await rest.a_visitor()
        path = f"/tasks/{(await task_of(rest, visitor)).id}"
        assert await change(rest, visitor, path, "a", '"1"') == (200, '"2"')
        assert await change(rest, visitor, path, "b", '"1"') == (412, '"2"')
        assert await change(rest, visitor, path, "b", 'W/"2"') == (412, '"2"')
        assert await change(rest, visitor, path, "b", '"1", "2"') == (200, '"3"')
        assert await change(rest, visitor, path, "c", "*") == (200, '"4"')
        assert await change(rest, visitor, path, "d", "4") == (400, None)
        assert (await rest.send("GET", path, visitor)).json()["title"] == "c"

    async def test_so_is_a_deletion(self, rest: Rest):
        """DELETE asks the same condition."""
        visitor = await rest.a_visitor()
        path = f"/tasks/{(await task_of(rest, visitor)).id}"
        lost = await rest.send("DELETE", path, visitor, headers={"if-match": '"9"'})
        assert (lost.status_code, lost.headers["etag"]) == (412, '"1"')
        assert (await rest.send("DELETE", path, visitor, headers={"if-match": '"1"'})).status_code == 204

    async def test_a_hidden_task_has_no_conditions(self, rest: Rest):
        """It is 404 for any condition: a 412 would reveal its version."""
        task = await rest.api.build.a_task()
        visitor = await rest.a_visitor()
        assert await change(rest, visitor, f"/tasks/{task.id}", "x", '"9"') == (404, None)

    async def test_one_of_concurrent_changes_succeeds(self, rest: Rest):
        """Ten changes of one version: one 200 and nine 412."""
        visitor = await rest.a_visitor()
        path = f"/tasks/{(await task_of(rest, visitor)).id}"
        answers = await asyncio.gather(*(change(rest, visitor, path, f"title {n}", '"1"') for n in range(10)))
        assert sorted(answers) == [(200, '"2"')] + [(412, '"2"')] * 9

    async def test_a_current_tag_is_304(self, rest: Rest):
        """Without a body; with another tag the task is sent."""
        visitor = await rest.a_visitor()
        path = f"/tasks/{(await task_of(rest, visitor)).id}"
        for method in ("GET", "HEAD"):
            same = await rest.send(method, path, visitor, headers={"if-none-match": '"1"'})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
        assert (await rest.send("GET", path, visitor, headers={"if-none-match": '"2"'})).status_code == 200
