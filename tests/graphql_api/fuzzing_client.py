"""Sends invalid requests, and checks the responses."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from uuid import UUID

import httpx
from sqlalchemy import text
from starlette.types import ASGIApp

from domain.errors import FailureCode
from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import CommentRow, TaskRow, UserRow, membership_id
from persistence.models.base import new_id
from services import comment as comment_service
from services import task as task_service
from tests.rest_api.documented import HOOKS
from tests.support.api import URL, Api
from tests.support.transactions import driver_connection, orm_session

SECRET: Final = "zUcKeRrIeGeL"
"""Part of all data of the victim; it must never reach another user."""
PATIENT_CODES: Final = {code.value for code in FailureCode} - {"INTERNAL", "UNAVAILABLE"}
"""The allowed codes for bad input: neither a server error nor a temporary one."""

_STORED: Final = text(
    """SELECT (SELECT md5(string_agg(tasks::text, '' ORDER BY id)) FROM tasks),
    (SELECT md5(string_agg(users::text, '' ORDER BY id)) FROM users),
    (SELECT md5(string_agg(sessions::text, '' ORDER BY id)) FROM sessions), (SELECT max(id) FROM events),
    (SELECT md5(string_agg(projects::text, '' ORDER BY id)) FROM projects),
    (SELECT md5(string_agg(project_keys::text, '' ORDER BY key)) FROM project_keys),
    (SELECT md5(string_agg(memberships::text, '' ORDER BY id)) FROM memberships),
    (SELECT md5(string_agg(labels::text, '' ORDER BY id)) FROM labels),
    (SELECT md5(string_agg(comments::text, '' ORDER BY id)) FROM comments),
    (SELECT md5(string_agg(trash::text, '' ORDER BY id)) FROM trash),
    (SELECT md5(string_agg(task_keys::text, '' ORDER BY task_keys)) FROM task_keys),
    (SELECT md5(string_agg(task_counters::text, '' ORDER BY id)) FROM task_counters),
    (SELECT md5(string_agg(p::text || m::text, '' ORDER BY m.id))
     FROM projects AS p JOIN memberships AS m ON m.project_id = p.id WHERE p.id = :project),
    (SELECT md5(string_agg(tasks::text, '' ORDER BY id)) FROM tasks WHERE owner_id = :id),
    (SELECT md5(string_agg(trash::text, '' ORDER BY id)) FROM trash WHERE owner_id = :id),
    (SELECT users::text FROM users WHERE id = :id),
    (SELECT md5(string_agg(sessions::text, '' ORDER BY id)) FROM sessions WHERE user_id = :id)"""
)
_FORGET: Final = "; ".join(
    f"DELETE FROM {table}"  # noqa: S608 - of these names
    for table in (
        "comments",
        "labels",
        "task_keys",
        "tasks",
        "trash",
        "task_counters",
        "memberships",
        "project_keys",
        "projects",
    )
)
_OF_THE_VICTIM: Final = slice(-5, None)
"""Of what is stored: its last five values."""


@dataclass
class Attacker:
    """A user, an admin or an anonymous client, and the user whose data it tries to reach."""

    api: Api
    app: ASGIApp
    people: dict[str, UserRow]
    marks: dict[str, str] = field(default_factory=dict)
    secret_project: UUID | None = None
    addresses: Iterator[int] = field(default_factory=lambda: count(256))

    @classmethod
    async def at(cls, api: Api) -> "Attacker":
        """The users and their tasks."""
        people = {"user": await api.a_user(), "admin": await api.a_user(Role.ADMIN), "bystander": await api.a_user()}
        people["victim"] = await api.a_user(email=f"{SECRET.lower()}@example.org")
        attacker = cls(api, api.server.asgi(), people)
        await attacker.lay_bait()
        return attacker

    async def lay_bait(self) -> None:
        """Tasks of the attacker and of the other user, and none of earlier tests: all rows are compared very often."""
        async with driver_connection(self.api.build.database) as connection:
            await connection.execute(_FORGET)
        build, victim = self.api.build, self.people["victim"]
        bait: TaskRow = await build.a_task(victim, title=SECRET, description=f"some text {SECRET}")
        own = [await build.a_task(self.people["user"], title=f"some text {number}") for number in range(3)]
        session = await build.a_session(victim, user_agent=SECRET)
        manager = ProjectRole.MANAGER
        secret = await build.a_project((victim, manager), name=SECRET, description=f"some text {SECRET}")
        self.secret_project = secret.id
        project = await build.a_project((self.people["user"], manager))
        for each in ("user", "admin"):
            await self.api.token(self.people[each])  # its session must not appear in the middle of a try
        self.marks |= {
            "@task@": encode_id("Task", own[0].id),
            "@user@": encode_id("User", self.people["bystander"].id),
            "@session@": encode_id("Session", (await build.a_session(self.people["user"])).id),
            "@access_token@": encode_id("AccessToken", (await build.an_access_token(self.people["user"]))[0].id),
            "@identity@": encode_id("Identity", (await build.an_identity(self.people["user"])).id),
            "@invitation@": encode_id("Invitation", new_id()),
            "@leaver@": encode_id("User", (await build.a_user()).id),
            "@victim_task@": encode_id("Task", bait.id),
            "@victim@": encode_id("User", victim.id),
            "@victim_project@": encode_id("Project", secret.id),
            "@victim_membership@": encode_id("Membership", membership_id(secret.id, victim.id)),
            "@project@": encode_id("Project", project.id),
            "@victim_label@": encode_id("Label", (await build.a_label(secret, f"{SECRET} label")).id),
            "@victim_comment@": encode_id("Comment", (await self._comment(victim, bait, SECRET)).id),
            "@label@": encode_id("Label", (await build.a_label(project, "A label")).id),
            "@comment@": encode_id("Comment", (await self._comment(self.people["user"], own[0], "some text")).id),
            "@victim_session@": encode_id("Session", session.id),
            "@token@": await self.api.token(self.people["user"]),
            "@new_task@": encode_id("Task", new_id()),
            "@first_task@": await self._task("user", project_id=project.id),
            "@last_task@": await self._task("user", project_id=project.id),
            "@deleted_task@": await self._task("user", is_deleted=True, project_id=project.id),
            "@victim_project_task@": await self._task("victim", project_id=secret.id),
            "@victim_deleted_task@": await self._task("victim", is_deleted=True, project_id=secret.id),
            "@victim_trash@": await self._task("victim", is_deleted=True),
        }

    async def _task(self, owner: str, *, is_deleted: bool = False, **values: Any) -> str:
        title = SECRET if owner == "victim" else "some text"
        task = await self.api.build.a_task(self.people[owner], title=title, **values)
        if is_deleted:
            await task_service.delete_task(self.api.build.as_(self.people[owner]), task_id=task.id)
        return encode_id("Task", task.id)

    async def _comment(self, author: UserRow, task: TaskRow, words: str) -> CommentRow:
        uow = self.api.build.as_(author)
        return (await comment_service.create_comment(uow, task_id=task.id, text=words)).comment

    def marked(self, content: bytes) -> bytes:
        """The content with real ids in place of their marks."""
        for mark, value in self.marks.items():
            content = content.replace(mark.encode(), value.encode())
        return content

    async def send(
        self,
        content: bytes,
        by: str | None = "user",
        *,
        method: str = "POST",
        headers: list[tuple[str, str]] | None = None,
        query: bytes = b"",
    ) -> httpx.Response:
        """Send it, from an address of its own, and see that the answer is one that may be given."""
        given = [("content-type", "application/json"), *(headers or [])]
        if by is not None and not any(name == "authorization" for name, _ in given):
            given.append(("authorization", f"Bearer {await self.api.token(self.people[by])}"))
        raw = [(name.encode(), self.marked(value.encode("latin-1", "replace"))) for name, value in given]
        transport = httpx.ASGITransport(self.app, client=(self._address(), 1))
        async with httpx.AsyncClient(transport=transport, base_url=URL, event_hooks=HOOKS) as client:
            url = httpx.URL(URL + "/graphql").copy_with(query=query or None)
            request = httpx.Request(method, url, headers=raw, content=self.marked(content))
            response = await client.send(request)
        check(response, method)
        assert by == "admin" or SECRET.lower() not in response.text.lower(), response.text
        return response

    async def ask(self, operation: str, variables: dict[str, Any], by: str | None = "user") -> dict[str, Any]:
        """Send an operation; a refused one must have changed nothing, and the victim's are the victim's."""
        content = json.dumps({"query": operation, "variables": variables}).encode()
        if not operation.startswith("mutation"):
            return decoded(await self.send(content, by))
        before = await self._stored()
        answer = decoded(await self.send(content, by))
        after = await self._stored()
        if _was_refused(answer):
            assert after == before, answer
        if by != "admin":
            assert after[_OF_THE_VICTIM] == before[_OF_THE_VICTIM], answer
        return answer

    async def still_answers(self) -> None:
        """The process and the attacker's account still work."""
        answer = decoded(await self.send(b'{"query": "{ me { username } tasks { totalCount } }"}'))
        assert answer["data"]["me"] == {"username": self.people["user"].username}

    def _address(self) -> str:
        number = next(self.addresses)
        return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    async def _stored(self) -> tuple[Any, ...]:
        async with orm_session(self.api.build.database) as session:
            return tuple(
                (await session.execute(_STORED, {"id": self.people["victim"].id, "project": self.secret_project})).one()
            )


def check(response: httpx.Response, method: str = "POST") -> None:
    """No server error, no injected header, and a body as GraphQL over HTTP requires."""
    assert response.status_code < 500, response.text
    for name, value in response.headers.raw:
        assert not {10, 13, 0} & {*name, *value}, (name, value)
    assert "x-evil" not in response.headers
    if method == "HEAD" or response.status_code == 204:
        assert response.content == b""
    elif not response.headers["content-type"].startswith("text/html"):
        check_body(decoded(response))


def check_body(body: Any) -> None:
    """A response with data, with errors, or with both, and every error with a code that bad input deserves."""
    assert isinstance(body, dict)
    assert {"data", "errors"} & body.keys()
    assert body.keys() <= {"data", "errors", "extensions"}
    if "errors" in body:
        assert body["errors"]
        check_errors(body["errors"])


def check_errors(errors: list[dict[str, Any]]) -> None:
    """Each error is a public one."""
    for error in errors:
        assert isinstance(error["message"], str)
        assert len(error["message"]) < 2_000
        assert error["extensions"]["code"] in PATIENT_CODES, error


def decoded(response: httpx.Response) -> dict[str, Any]:
    """The body, which must be strict JSON."""
    text = response.content.decode("utf-8")
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        text = next(line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {"))
    found: dict[str, Any] = json.loads(text, parse_constant=_no_constant)
    return found


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def _was_refused(answer: dict[str, Any]) -> bool:
    payloads = [payload for payload in (answer.get("data") or {}).values() if payload is not None]
    return all(payload["userErrors"] for payload in payloads)


class Loud(logging.Handler):
    """Keeps what was logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged as an error in here."""
    handler, loggers = Loud(), [logging.getLogger(name) for name in (None, "taskriver.errors", "asyncio", "uvicorn")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
    assert [record.getMessage() for record in handler.records] == []
