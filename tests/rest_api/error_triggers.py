"""A request for every documented error of the REST API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from asgi.origins import ORIGIN_MISSING, ORIGIN_NOT_ALLOWED
from domain.access_token import Scope, missing_scope
from domain.errors import DomainError, RateLimited, Unavailable
from domain.idempotency import MAX_KEYS, SEVERAL_KEYS
from domain.idempotency import keys_used_up as keys_used_up_text
from domain.registration import CLOSED, INVITED_ONLY, Registration
from domain.task import TaskStatus
from graphql_api.auth.accounts import TOO_MANY_HASHES, TOO_MANY_SIGN_INS, AccountLimits
from graphql_api.auth.cookies import AmbiguousCookie
from graphql_api.auth.hash_queue import ACCOUNT_BUSY, BUSY, HashQueue
from graphql_api.auth.rate_limits import RateLimit
from graphql_api.auth.write_limits import WriteLimits, no_writes_left
from persistence.idempotency_counts import KeyCounts, KeyUsage
from rest_api.api import MAX_BODY
from rest_api.etags import too_long
from rest_api.operation import ErrorResponse, Problem, RestOperation
from rest_api.refusals import WRITES
from tests.rest_api.support import PASSWORD, Rest, Visitor, tokens_of

Provoke = Callable[["Offender"], Awaitable[httpx.Response]]

BROKEN_FORM: Final = {"content-type": "multipart/form-data"}


@dataclass
class Offender:
    """Makes one mistake with one operation."""

    rest: Rest
    visitor: Visitor
    operation: RestOperation
    monkeypatch: pytest.MonkeyPatch
    task_id: str = ""

    async def send(self, *, token: str | None = None, cookie: str | None = None, **options: Any) -> httpx.Response:
        """Send the operation's own example, except for *options*."""
        operation = self.operation
        if operation.body is not None and not {"json", "data", "content"} & set(options):
            options["data" if operation.is_form else "json"] = self.example()
        headers = options.pop("headers", {})
        pairs = headers if isinstance(headers, list) else list(headers.items())
        by = self.visitor.token if token is None else token
        bearer = [("authorization", f"Bearer {by}")] if operation.security.needs_bearer and by else []
        path = operation.path.replace("{task_id}", self.task_id or await self.own_task())
        return await self.rest.send(
            operation.methods[0],
            path,
            cookie=self.visitor.cookie if cookie is None else cookie or None,
            headers=[*bearer, *pairs],
            **options,
        )

    def example(self) -> dict[str, Any]:
        """The documented body, by a user who may send it."""
        assert self.operation.body is not None
        extra: Any = self.operation.body.model_config["json_schema_extra"]
        example = dict(extra["examples"][0])
        if self.operation.name == "login":
            example |= {"username": self.visitor.name, "password": PASSWORD}
        if self.operation.name == "register":
            example |= {"username": f"n{self.visitor.name}", "email": f"n{self.visitor.name}@example.org"}
        return example

    async def own_task(self, **values: Any) -> str:
        """A task of the visitor's."""
        owner = await self.rest.api.build.user(UUID(self.visitor.uuid))
        return str((await self.rest.api.build.a_task(owner, **values)).id)

    async def when_registration_is(self, mode: Registration) -> httpx.Response:
        """Send it when not everyone may register."""
        self.monkeypatch.setattr(self.rest.api.server.backend.accounts, "registration", mode)
        return await self.send()

    async def used_up(self, limit: RateLimit, key: str) -> httpx.Response:
        """Send it when a limit is used up."""
        await self.rest.api.server.redis.set(f"throttle:{limit.window(key)}", limit.max_count, ex=limit.seconds)
        return await self.send()

    async def failed_too_often(self) -> httpx.Response:
        """Send it when the visitor's sign-in has failed too often."""
        accounts = self.rest.api.server.backend.accounts
        for _ in range(self.limits.failures_per_account.max_count):
            await accounts._failures(self.visitor.name, self.address).end(failed=True)
        return await self.send()

    @property
    def limits(self) -> AccountLimits:
        """How often what may be tried."""
        return self.rest.api.server.backend.accounts._limits

    @property
    def address(self) -> str:
        """Where the offender is."""
        return self.rest.transport.client[0]


async def expired(offender: Offender) -> httpx.Response:
    """An expired token."""
    session = (await offender.rest.send("GET", "/auth/sessions", offender.visitor)).json()[0]["uuid"]
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    issued = offender.rest.api.server.tokens.issue(UUID(offender.visitor.uuid), UUID(session), long_ago)
    return await offender.send(token=issued.token)


async def name_taken(offender: Offender) -> httpx.Response:
    """The name of another user."""
    return await offender.send(json=offender.example() | {"username": offender.visitor.name})


async def address_taken(offender: Offender) -> httpx.Response:
    """The address of another user."""
    return await offender.send(json=offender.example() | {"email": f"{offender.visitor.name}@example.org"})


async def used_before(offender: Offender) -> httpx.Response:
    """A grandparent."""
    cookie = offender.visitor.cookie
    for _ in range(2):
        _, cookie = tokens_of(await offender.rest.send("POST", "/auth/refresh/", cookie=cookie))
    return await offender.send()


async def refreshed_too_often(offender: Offender) -> httpx.Response:
    """The session's limit is used up."""
    session = (await offender.rest.send("GET", "/auth/sessions", offender.visitor)).json()[0]["uuid"]
    return await offender.used_up(offender.limits.refreshes, session)


async def another_users(offender: Offender) -> httpx.Response:
    """A task that is not to be seen."""
    offender.task_id = str((await offender.rest.api.build.a_task()).id)
    return await offender.send()


async def assigned(offender: Offender) -> httpx.Response:
    """A task that may be looked at."""
    offender.task_id = str((await offender.rest.api.build.a_task(assignee_id=UUID(offender.visitor.uuid))).id)
    return await offender.send()


async def cancelled(offender: Offender) -> httpx.Response:
    """A move that the board does not have."""
    offender.task_id = await offender.own_task(status=TaskStatus.CANCELLED)
    return await offender.send(json={"completed": True})


async def changed(offender: Offender) -> httpx.Response:
    """A version that is not the current one any more."""
    offender.task_id = await offender.own_task(version=2)
    return await offender.send(headers={"if-match": '"1"'})


async def key_used(offender: Offender) -> httpx.Response:
    """A key that has made something else."""
    key = {"idempotency-key": "once"}
    await offender.rest.send("POST", "/tasks/", offender.visitor, json={"title": "Another"}, headers=key)
    return await offender.send(headers=key)


async def keys_used_up(offender: Offender) -> httpx.Response:
    """One more key than an account may have."""

    async def counted(*_: object) -> KeyUsage:
        return KeyUsage(MAX_KEYS + 1)

    offender.monkeypatch.setattr(KeyCounts, "after_claim", counted)
    return await offender.send(headers={"idempotency-key": "one-more"})


async def writes_used_up(offender: Offender) -> httpx.Response:
    """The user's writes of this minute are used up."""
    offender.task_id = offender.task_id or await offender.own_task()
    server = offender.rest.api.server
    limits = WriteLimits(server.throttle, per_user=RateLimit("writes-user", WRITES, 60), per_token=None)
    identity = await server.access.authenticate(f"Bearer {offender.visitor.token}")
    assert identity is not None
    await limits.take(identity.actor, WRITES)
    offender.monkeypatch.setattr(server.database, "counting", limits)
    offender.monkeypatch.setitem(vars(server.backend), "write_limits", limits)
    return await offender.send()


async def signed_in_too_often(offender: Offender) -> httpx.Response:
    """The account's sign-ins from this address are used up."""
    key = f"{offender.visitor.name}\n{offender.address}"
    return await offender.used_up(offender.limits.sign_ins_per_account, key)


def with_scopes(*scopes: Scope) -> Provoke:
    """A personal access token with these scopes."""

    async def provoke(offender: Offender) -> httpx.Response:
        build = offender.rest.api.build
        user = await build.user(UUID(offender.visitor.uuid))
        assert user is not None
        _, text = await build.an_access_token(user, *scopes)
        return await offender.send(token=text)

    return provoke


def busy(error: DomainError) -> Provoke:
    """The queue for password hashes refuses."""

    async def refused(*_: object) -> None:
        raise error

    async def provoke(offender: Offender) -> httpx.Response:
        offender.monkeypatch.setattr(HashQueue, "acquire", refused)
        return await offender.send()

    return provoke


async def too_slow(offender: Offender) -> httpx.Response:
    """A body of which the rest does not come."""

    async def collect(*_: object) -> bytes:
        raise TimeoutError

    offender.monkeypatch.setattr("asgi.request_body._collect", collect)
    return await offender.send()


async def gone_since(offender: Offender) -> httpx.Response:
    """A task that was deleted after it had been created under the key."""
    key = {"idempotency-key": "gone"}
    task = (await offender.send(headers=key)).json()
    await offender.rest.send("DELETE", f"/tasks/{task['uuid']}", offender.visitor)
    return await offender.send(headers=key)


async def down(offender: Offender) -> httpx.Response:
    """No database."""
    path = offender.operation.path.replace("{task_id}", await offender.own_task())
    offender.task_id = path.rpartition("/")[2] if "{" in offender.operation.path else "-"

    async def gone(*_: object, **__: object) -> None:
        raise ConnectionError

    if offender.operation.security.needs_bearer:  # so that the token is known already
        assert (await offender.rest.send("GET", "/users/about_me", offender.visitor)).status_code == 200
    offender.monkeypatch.setattr("persistence.transaction.Transaction.fetch", gone)
    offender.monkeypatch.setattr("persistence.queries.reader.ReadConnection.rows", gone)
    return await offender.send()


PROVOCATIONS: Final[dict[str, Provoke]] = {
    ORIGIN_NOT_ALLOWED: lambda offender: offender.send(headers={"origin": "https://evil.example"}),
    ORIGIN_MISSING: lambda offender: offender.send(headers={"sec-fetch-site": "cross-site"}),
    AmbiguousCookie().message: lambda offender: offender.send(cookie="a; refresh_token=b"),
    "The body did not arrive within 10 s.": too_slow,
    SEVERAL_KEYS: lambda offender: offender.send(headers=[("idempotency-key", "a"), ("idempotency-key", "b")]),
    too_long("If-Match"): lambda offender: offender.send(headers={"if-match": '"1",' * 501}),
    too_long("If-None-Match"): lambda offender: offender.send(headers={"if-none-match": '"1",' * 501}),
    keys_used_up_text(MAX_KEYS): keys_used_up,
    no_writes_left("user", WRITES): writes_used_up,
    TOO_MANY_SIGN_INS: signed_in_too_often,
    TOO_MANY_HASHES: lambda offender: offender.used_up(offender.limits.hashes_per_address, offender.address),
    ACCOUNT_BUSY: busy(RateLimited(ACCOUNT_BUSY, retry_after=1)),
    BUSY: busy(Unavailable(BUSY)),
    "Not authenticated": lambda offender: offender.send(token=""),
    "Invalid token": lambda offender: offender.send(token="garbage"),
    "Token has expired": expired,
    "The body is larger than 262,144 bytes.": lambda offender: offender.send(content=b" " * (MAX_BODY + 1)),
    "Send the body uncompressed: Content-Encoding is not supported.": lambda offender: offender.send(
        headers={"content-encoding": "gzip"}
    ),
    "The database is temporarily unavailable; try again in a moment.": down,
    "A user with this name already exists": name_taken,
    "A user with this email already exists": address_taken,
    CLOSED: lambda offender: offender.when_registration_is(Registration.CLOSED),
    INVITED_ONLY: lambda offender: offender.when_registration_is(Registration.INVITE),
    "Too many registrations from this address. Try again later.": lambda offender: offender.used_up(
        offender.limits.registrations, offender.address
    ),
    "There was an error parsing the body: Missing boundary in multipart.": lambda offender: offender.send(
        content=b"x", headers=BROKEN_FORM
    ),
    "Wrong username or password.": lambda offender: offender.send(data={"username": "nobody", "password": "x"}),
    "Too many login attempts. Try again later.": Offender.failed_too_often,
    "Refresh token missing": lambda offender: offender.send(cookie=""),
    "Invalid refresh token": lambda offender: offender.send(cookie="garbage"),
    "Refresh token has been already used": used_before,
    "Too many token refreshes in this session. Try again later.": refreshed_too_often,
    "Token not found": lambda offender: offender.send(cookie=""),
    "Task not found": another_users,
    "Insufficient permissions": assigned,
    "A task cannot go from CANCELLED to DONE; from here it can go to TODO.": cancelled,
    "The task is at version 2, not 1: it was changed in the meantime. Load it again, then repeat.": changed,
    'If-Match must be * or entity tags in quotes, such as "3".': lambda offender: offender.send(
        headers={"if-match": "3"}
    ),
    "An idempotency key is 1 to 255 visible ASCII characters, such as a UUID.": lambda offender: offender.send(
        headers={"idempotency-key": "a b"}
    ),
    "This idempotency key was used for another request. Use a new key for each request.": key_used,
    "This was done already; since then the task was deleted, or you may not see it any more.": gone_since,
    **{
        missing_scope(frozenset(needed)): with_scopes(Scope.ADMIN)
        for needed in ({Scope.TASKS_READ}, {Scope.TASKS_WRITE}, {Scope.ACCOUNT}, set())
    },
    'If-None-Match must be * or entity tags in quotes, such as "3".': lambda offender: offender.send(
        headers={"if-none-match": "3"}
    ),
}
"""By what the refusal says."""

BAD_VALUES: Final[dict[str, dict[str, Any]]] = {
    "register": {"json": {"username": "grace", "email": "grace@example.org", "password": "Correct horse1!"}},
    "login": {"data": {"username": "grace"}},
    "list_tasks": {"params": {"skip": "-1"}},
    "create_task": {"json": {}},
    "update_task": {"json": {"title": ""}},
    "get_task": {"task_id": "x"},
    "delete_task": {"task_id": "x"},
}
"""By the operation's name: what its documented 422 is about."""


async def refuse(offender: Offender, refused: ErrorResponse | Problem) -> httpx.Response:
    """The response to the request that causes this error."""
    if isinstance(refused, ErrorResponse):
        return await PROVOCATIONS[refused.detail](offender)
    options = dict(BAD_VALUES[offender.operation.name])
    offender.task_id = options.pop("task_id", "")
    return await offender.send(**options)
