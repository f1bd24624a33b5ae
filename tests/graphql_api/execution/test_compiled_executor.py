"""Plans do not depend on the user, and a plan that falls back leaves no connection open."""

from typing import Any

import pytest

from domain.user import Role
from graphql_api.schema.ids import encode_id
from tests.support.api import Api

PAGE = "query ($after: String!) { tasks(after: $after) { nodes { id } } }"


async def test_a_plan_that_falls_back_frees_its_connection(api: Api, monkeypatch: pytest.MonkeyPatch):
    """However often an argument breaks a rule."""
    pool, user = api.server.database._pool, await api.a_user()
    dropped: list[Any] = []
    for _ in range(2):  # from its second sighting on, the document has a plan
        await api.ask(PAGE, user, after="no cursor")
    release = pool.release

    def note(connection: Any, error: BaseException | None = None) -> None:
        release(connection, error)
        dropped.extend([connection] if connection.is_closed() else [])

    monkeypatch.setattr(pool, "release", note)
    answer = await api.ask(PAGE, user, after="no cursor")

    assert answer.codes == ["BAD_REQUEST"]
    assert dropped == []


USERS = "{ users(first: 5) { nodes { email } } }"
ADDRESS = "query ($id: ID!) { user(id: $id) { email } }"
SET_ROLE = "mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { user { email } userErrors { code } } }"


async def test_a_plan_that_an_admin_used_refuses_a_user(api: Api):
    """The user is refused, or sees only what they may see."""
    admin, user, other = await api.a_user(Role.ADMIN), await api.a_user(), await api.a_user()
    other_id = encode_id("User", other.id)
    change = {"input": {"userId": other_id, "role": "MODERATOR"}}
    compiled = api.server.compiled
    ran = compiled.compiled_count if compiled is not None else 0
    for _ in range(3):
        assert (await api.ask(USERS, admin)).data["users"]["nodes"][0]["email"] is not None
        assert (await api.ask(ADDRESS, admin, id=other_id)).data["user"] == {"email": other.email}
        assert (await api.ask(SET_ROLE, admin, **change)).payload("setUserRole")["user"] == {"email": other.email}
    assert compiled is None or compiled.compiled_count - ran >= 6  # all but the first of each

    for query, variables in ((USERS, {}), (SET_ROLE, change)):
        assert (await api.ask(query, user, **variables)).codes == ["FORBIDDEN"]
        assert (await api.ask(query, **variables)).codes == ["UNAUTHENTICATED"]
    assert (await api.ask(ADDRESS, user, id=other_id)).data["user"] == {"email": None}
