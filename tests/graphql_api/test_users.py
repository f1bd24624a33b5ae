"""Users and nodes over GraphQL."""

from uuid import uuid4

from sqlalchemy import update

from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.support.api import Api
from tests.support.transactions import orm_session

ROLE = """mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) {
  user { role } userErrors { code path } } }"""
ACTIVE = """mutation ($input: SetUserActiveInput!) { setUserActive(input: $input) {
  user { isActive } userErrors { code path } } }"""


def id_of(user: object) -> str:
    """A user's id as clients know it."""
    return encode_id("User", user.id)  # type: ignore[attr-defined]


class TestUsers:
    async def test_pages_of_users_newest_first(self, api: Api):
        """An admin reads all users once, with the total count."""
        admin = await api.a_user(Role.ADMIN)
        newest = [id_of(await api.a_user()) for _ in range(5)][::-1]
        query = """query ($after: String) { users(first: 2, after: $after) { totalCount nodes { id }
          edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }"""
        seen: list[str] = []
        after = None
        for _ in range(3):
            page = (await api.ask(query, admin, after=after)).data["users"]
            assert page["nodes"] == [edge["node"] for edge in page["edges"]]
            assert page["totalCount"] >= 6
            assert page["pageInfo"]["hasNextPage"] is (page["totalCount"] > len(seen) + 2)
            seen += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
        assert seen == [*newest, id_of(admin)]

    async def test_first_has_its_limits(self, api: Api):
        """`first` outside 1 to 100 is a bad request."""
        admin = await api.a_user(Role.ADMIN)
        for first in (0, -1, 101, 2**31 - 1):
            answer = await api.ask("query ($first: Int!) { users(first: $first) { nodes { id } } }", admin, first=first)
            assert answer.codes in (["BAD_REQUEST"], ["TOO_EXPENSIVE"])


class TestAssignableUsers:
    async def test_active_users_are_found_by_the_beginning_of_their_names(self, api: Api):
        """Case is ignored, `%` and `_` are literal, and disabled users are left out."""
        asker = await api.a_user()
        await api.a_user(username="Zelda_1")
        await api.a_user(username="zelda.2")
        await api.a_user(username="zelda_3", is_active=False)
        query = "query ($search: String!) { assignableUsers(search: $search) { username email } }"

        async def found(search: str) -> list[str]:
            return [user["username"] for user in (await api.ask(query, asker, search=search)).data["assignableUsers"]]

        assert await found("zelda") == ["zelda.2", "Zelda_1"]
        assert await found("ZELDA_") == ["Zelda_1"]
        assert await found("%") == []
        assert await found("zelda\\") == []

    async def test_addresses_are_not_shown(self, api: Api):
        """Only names."""
        asker, other = await api.a_user(), await api.a_user()
        query = "query ($search: String!) { assignableUsers(search: $search) { email } }"
        assert (await api.ask(query, asker, search=other.username)).data == {"assignableUsers": [{"email": None}]}


class TestSetUserRole:
    async def test_an_admin_gives_another_role(self, api: Api):
        """The payload has the user with the new role."""
        admin, user = await api.a_user(Role.ADMIN), await api.a_user()
        answer = await api.ask(ROLE, admin, input={"userId": id_of(user), "role": "MODERATOR"})
        assert answer.payload("setUserRole")["user"] == {"role": "MODERATOR"}

    async def test_an_unknown_user_is_not_found(self, api: Api):
        """NOT_FOUND, at the field of the input."""
        admin = await api.a_user(Role.ADMIN)
        refusal = (await api.ask(ROLE, admin, input={"userId": encode_id("User", uuid4()), "role": "USER"})).refusal(
            "setUserRole"
        )
        assert refusal == {"code": "NOT_FOUND", "path": ["userId"]}


class TestLastAdmin:
    async def test_the_last_active_admin_can_be_neither_demoted_nor_disabled(self, api: Api):
        """LAST_ADMIN, and nothing changes."""
        admin = await api.a_user(Role.ADMIN)
        async with orm_session(api.build.database) as session:
            others = update(UserRow).where(UserRow.role == Role.ADMIN, UserRow.id != admin.id)
            await session.execute(others.values(is_active=False))
            await session.commit()

        demoted = await api.ask(ROLE, admin, input={"userId": id_of(admin), "role": "USER"})
        disabled = await api.ask(ACTIVE, admin, input={"userId": id_of(admin), "isActive": False})

        refusal = {"code": "LAST_ADMIN", "path": ["userId"]}
        assert (demoted.refusal("setUserRole"), disabled.refusal("setUserActive")) == (refusal, refusal)
        stored = await api.build.user(admin.id)
        assert stored is not None
        assert (stored.role, stored.is_active, stored.access_version) == (Role.ADMIN, True, 1)


class TestNodes:
    async def test_nodes_of_every_type(self, api: Api):
        """In the order of the ids; null for missing, hidden and unknown ones."""
        user, outsider = await api.a_user(), await api.a_user()
        task, hidden = await api.build.a_task(user), await api.build.a_task(outsider)
        token = await api.token(user)
        session = (await api.ask("{ sessions { id } }", token)).data["sessions"][0]["id"]
        foreign = (await api.ask("{ sessions { id } }", outsider)).data["sessions"][0]["id"]
        ids = [
            encode_id("Task", task.id),
            encode_id("Task", hidden.id),
            id_of(outsider),
            session,
            foreign,
            encode_id("Task", uuid4()),
            encode_id("Planet", uuid4()),
        ]

        answer = await api.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", token, ids=ids)

        kinds = ["Task", None, "User", "Session", None, None, None]
        assert answer.data["nodes"] == [
            {"__typename": kind, "id": identity} if kind else None for kind, identity in zip(kinds, ids, strict=True)
        ]
