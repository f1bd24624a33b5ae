"""The audit log, as admins read it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.actor import OPERATOR
from domain.audit import AuditAction, AuditEntry, Subject
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.audit import entries

NOON = datetime(2020, 12, 1, 12, tzinfo=UTC)
OF_THE_SCENE = {"from": "2020-12-01T12:00:00Z", "to": "2020-12-01T13:00:00Z"}
LOG = """query ($first: Int, $after: String, $last: Int, $before: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    nodes { at times action actorName ipAddress subjectKind subjectId subjectName details actor { username } }
    pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } }"""


async def add(api: Api, by: UserRow, action: AuditAction, minute: int, *subjects: UserRow) -> None:
    """An entry of a minute after noon for each subject."""
    uow = api.build.as_(api.build.actor(by), now=NOON + timedelta(minutes=minute))
    async with uow:
        for user in subjects:
            uow.audit(AuditEntry(action, Subject.user(user.id, user.username), {"minute": minute}))
        await uow.commit()


class Scene:
    """An admin and two users, with six entries."""

    def __init__(self, api: Api, root: UserRow, ada: UserRow) -> None:
        self.api, self.root, self.ada = api, root, ada

    async def minutes(self, **wanted: Any) -> list[int]:
        """The minutes of the entries that the filter finds."""
        page = await self.page(filter=OF_THE_SCENE | wanted)
        return [json.loads(node["details"])["minute"] for node in page["nodes"]]

    async def page(self, **variables: Any) -> Any:
        """A page, as the admin sees it."""
        return (await self.api.ask(LOG, self.root, **variables)).data["auditLog"]


@pytest.fixture(scope="module")
async def scene(api: Api) -> Scene:
    """Entries in a database of the module's own."""
    root, ada = await api.a_user(Role.ADMIN), await api.a_user()
    for minute, (by, action) in enumerate(
        [
            (root, AuditAction.ROLE_CHANGED),
            (ada, AuditAction.PASSWORD_CHANGED),
            (root, AuditAction.USER_DISABLED),
            (root, AuditAction.USER_ENABLED),
            (ada, AuditAction.PASSWORD_CHANGED),
            (root, AuditAction.ROLE_CHANGED),
        ]
    ):
        await add(api, by, action, minute, ada)
    return Scene(api, root, ada)


async def test_an_entry(scene: Scene):
    """All that is known."""
    page = await scene.page(first=1, filter={"action": "USER_DISABLED", "to": "2020-12-01T13:00:00Z"})
    assert page["nodes"] == [
        {
            "at": "2020-12-01T12:02:00Z",
            "times": 1,
            "action": "USER_DISABLED",
            "actorName": None,
            "ipAddress": None,
            "subjectKind": "USER",
            "subjectId": encode_id("User", scene.ada.id),
            "subjectName": scene.ada.username,
            "details": '{"minute":2}',
            "actor": {"username": scene.root.username},
        }
    ]


async def test_filters(scene: Scene):
    """Each, and all together; the newest first. `from` is inclusive, and `to` is not."""
    ada = encode_id("User", scene.ada.id)
    assert await scene.minutes() == [5, 4, 3, 2, 1, 0]
    assert await scene.minutes(actorId=ada) == [4, 1]
    assert await scene.minutes(action="ROLE_CHANGED") == [5, 0]
    assert await scene.minutes(**{"from": "2020-12-01T12:01:00Z", "to": "2020-12-01T12:03:00Z"}) == [2, 1]
    assert await scene.minutes(actorId=ada, action="PASSWORD_CHANGED", to="2020-12-01T12:04:00Z") == [1]
    assert await scene.minutes(actorId=ada, action="ROLE_CHANGED") == []


async def test_pages(scene: Scene):
    """Forward and backward, with a filter."""
    wanted = OF_THE_SCENE
    first = await scene.page(first=4, filter=wanted)
    rest = await scene.page(first=4, after=first["pageInfo"]["endCursor"], filter=wanted)
    back = await scene.page(last=1, before=rest["pageInfo"]["startCursor"], filter=wanted)
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert (first["pageInfo"]["hasPreviousPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert [json.loads(node["details"])["minute"] for node in first["nodes"] + rest["nodes"]] == [5, 4, 3, 2, 1, 0]
    assert back["nodes"] == first["nodes"][-1:]


@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR, None])
async def test_only_admins_read_it(scene: Scene, role: Role | None):
    """Others do not, whatever the filter."""
    by = await scene.api.a_user(role) if role is not None else None
    answer = await scene.api.ask(LOG, by)
    assert answer.codes == ["FORBIDDEN" if by is not None else "UNAUTHENTICATED"]
    assert answer.body["data"] == {"auditLog": None}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"filter": {"actorId": "x"}}, "actorId"),
        ({"filter": {"action": "NOTHING"}}, "NOTHING"),
        ({"filter": {"from": "yesterday"}}, "RFC 3339"),
        ({"first": 101}, "first must be 1 to 100, not 101."),
        ({"after": "x"}, "This cursor was not made by this API"),
    ],
)
async def test_bad_input(scene: Scene, variables: dict[str, Any], message: str):
    """Is refused with what is wrong."""
    answer = await scene.api.ask(LOG, scene.root, **variables)
    assert answer.codes == ["BAD_REQUEST"]
    assert message in answer.body["errors"][0]["message"]


async def test_the_cost_counts_each_entry(scene: Scene):
    """And its long texts."""
    fields = " ".join(f"a{number}: details" for number in range(25))
    query = f"{{ auditLog(first: 100) {{ nodes {{ {fields} }} edges {{ node {{ {fields} }} }} }} }}"
    answer = await scene.api.ask(query, scene.root)
    assert answer.codes == ["TOO_EXPENSIVE"], answer.body


async def test_failures_are_in_the_log_after_the_server_has_stopped(
    new_database: Callable[[], str], new_redis: Callable[[], str]
):
    """Those of the last seconds are written at the end. What was typed as a name is not stored."""
    url = new_database()
    async with an_api(url, new_redis()) as api:
        ada = await api.a_user(username="ada")
        login = "mutation ($input: LoginInput!) { login(input: $input) { userErrors { code } } }"
        change = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }"
        for name in ("ada", "Ada", "Secret-pass1"):
            await api.ask(login, input={"username": name, "password": "Wrong-horse1"})
        await api.ask(change, ada, input={"currentPassword": "Wrong-horse1", "newPassword": "Right-horse1"})
        form = {"username": "ada", "password": "Wrong-horse1"}
        await api.client.post("/api/v1/auth/login/", data=form)
    async with an_api(url, new_redis()) as api:
        found = [row for row in await entries(api.server.database) if row.action is not AuditAction.SERVER_STARTED]
        counts = {(row.action.value, row.subject_name, row.ip_address): row.times for row in found}
        assert counts == {
            ("SIGN_IN_FAILED", "ada", "127.0.0.1"): 3,
            ("SIGN_IN_FAILED", None, "127.0.0.1"): 1,
            ("PASSWORD_CHANGE_FAILED", "ada", "127.0.0.1"): 1,
        }
        assert "Secret" not in str([row.__dict__ for row in found])


@pytest.fixture
async def operator_entry(scene: Scene) -> None:
    """An entry of the operator, who is not a user."""
    uow = scene.api.build.as_(OPERATOR, now=NOON - timedelta(days=1))
    async with uow:
        uow.audit(AuditEntry(AuditAction.CLEANED_UP))
        await uow.commit()


async def test_the_operator_is_an_actor_without_a_user(scene: Scene, operator_entry: None):
    """With a name that no user can have."""
    page = await scene.page(filter={"action": "CLEANED_UP", "to": "2020-12-01T00:00:00Z"})
    assert [(node["actorName"], node["actor"], node["subjectId"]) for node in page["nodes"]] == [
        ("the operator (command line)", None, None)
    ]
