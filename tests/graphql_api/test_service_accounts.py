"""Service accounts: who creates and manages them, what their tokens reach, and that they never sign in."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from domain.access_token import Scope
from domain.actor import OPERATOR
from domain.project import ProjectRole
from domain.user import Role, UserKind
from graphql_api.schema.ids import encode_id
from persistence.models import ProjectRow, UserRow
from services.user import set_user_active
from tests.graphql_api.stream_client import PASSWORD
from tests.support.api import Api

CREATE = """mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) {
  user { id username kind role email isActive } userErrors { code path message } } }"""
LIST = "query ($projectId: ID) { serviceAccounts(projectId: $projectId) { username } }"
TOKEN = """mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
  secret accessToken { id } userErrors { code path } } }"""
TOKENS = "query ($userId: ID) { accessTokens(userId: $userId) { id name } }"
REVOKE = """mutation ($input: RevokeAccessTokenInput!) { revokeAccessToken(input: $input) {
  revokedAccessTokenId userErrors { code path } } }"""
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code message } } }"
ADD = """mutation ($input: AddMemberInput!) { addMember(input: $input) { userErrors { code message path } } }"""


_numbers = count(1)


def a_name() -> str:
    """A name that no other account has."""
    return f"robot{next(_numbers)}"


@dataclass(frozen=True)
class Stage:
    """A project with two managers and a member, an admin, another project of the first manager, and an account."""

    manager: UserRow
    second: UserRow
    member: UserRow
    outsider: UserRow
    admin: UserRow
    project: ProjectRow
    other: ProjectRow
    account: str
    name: str


def project(row: ProjectRow) -> str:
    """The id of a project as clients know it."""
    return encode_id("Project", row.id)


def user(row: UserRow) -> str:
    """The id of a user as clients know it."""
    return encode_id("User", row.id)


async def a_stage(api: Api, **values: Any) -> Stage:
    """The account has the role MEMBER in the project."""
    manager, second, member, outsider = [await api.a_user() for _ in range(4)]
    admin = await api.a_user(Role.ADMIN)
    managers = ((manager, ProjectRole.MANAGER), (second, ProjectRole.MANAGER))
    row = await api.build.a_project(*managers, (member, ProjectRole.MEMBER), **values)
    other = await api.build.a_project((manager, ProjectRole.MANAGER))
    name = a_name()
    made = await api.ask(CREATE, manager, input={"username": name, "projectId": project(row)})
    account = made.payload("createServiceAccount")["user"]["id"]
    return Stage(manager, second, member, outsider, admin, row, other, account, name)


async def a_token(api: Api, by: UserRow, account: str, **values: Any) -> str:
    """The text of a token of the account."""
    sent = {"name": "CI", "scopes": ["TASKS_WRITE"], "userId": account} | values
    secret: str = (await api.ask(TOKEN, by, input=sent)).payload("createAccessToken")["secret"]
    return secret


class TestCreation:
    async def test_a_manager_creates_one_for_the_project(self, api: Api):
        """It is a member there, with the role USER, and no address."""
        stage = await a_stage(api)
        answer = await api.ask(
            "query ($id: ID!) { user(id: $id) { username kind role email isActive } }", stage.admin, id=stage.account
        )
        expected = {"username": stage.name, "kind": "SERVICE", "role": "USER", "email": None, "isActive": True}
        assert answer.data["user"] == expected
        roles = await api.build.roles_in(stage.project.id)
        assert sorted(roles.values()) == ["MANAGER", "MANAGER", "MEMBER", "MEMBER"]

    async def test_an_admin_creates_one_with_a_role(self, api: Api):
        """Of no project; its tokens reach what the role permits, within their scopes."""
        admin = await api.a_user(Role.ADMIN)
        made = (await api.ask(CREATE, admin, input={"username": a_name(), "role": "ADMIN"})).payload(
            "createServiceAccount"
        )
        secret = await a_token(api, admin, made["user"]["id"], scopes=["ADMIN", "TASKS_READ"])
        assert (await api.ask("{ users { totalCount } }", secret)).codes == []

    async def test_refusals(self, api: Api):
        """Of a project by its managers only, without one by admins only, and with no role above the manager's."""
        stage = await a_stage(api)
        sent = {"username": a_name(), "projectId": project(stage.project)}
        for by, values, code in (
            (stage.member, sent, "FORBIDDEN"),
            (stage.outsider, sent, "NOT_FOUND"),
            (stage.manager, {"username": a_name()}, "FORBIDDEN"),
            (stage.manager, {"username": a_name(), "role": "ADMIN"}, "FORBIDDEN"),
            (stage.manager, sent | {"role": "ADMIN"}, "INVALID"),
            (stage.admin, sent | {"role": "MODERATOR"}, "INVALID"),
            (stage.manager, sent | {"username": "!"}, "INVALID"),
            (stage.manager, sent | {"username": stage.name.upper()}, "ALREADY_EXISTS"),
        ):
            await api.token(by)
            async with api.build.unchanged():
                assert (await api.ask(CREATE, by, input=values)).refusal("createServiceAccount")["code"] == code
        _, token = await api.build.an_access_token(stage.manager, *Scope)
        assert (await api.ask(CREATE, token, input=sent)).codes == ["FORBIDDEN"]

    async def test_none_in_an_archived_project(self, api: Api):
        """It would be a new member."""
        manager = await api.a_user()
        row = await api.build.a_project((manager, ProjectRole.MANAGER), is_archived=True)
        answer = await api.ask(CREATE, manager, input={"username": a_name(), "projectId": project(row)})
        assert answer.refusal("createServiceAccount")["code"] == "FORBIDDEN"


class TestSignIn:
    async def test_it_never_signs_in(self, api: Api):
        """Not with any password, even if one gets into the table: with the same error as for an unknown name."""
        stage = await a_stage(api)
        hashed = await api.server.passwords.hash(PASSWORD)
        forced = await api.a_user(kind=UserKind.SERVICE, has_password=True, password_hash=hashed)
        for name in (stage.name, forced.username):
            refusals = [
                (await api.ask(LOGIN, input={"username": each, "password": PASSWORD})).refusal("login")
                for each in (name, "nobody")
            ]
            assert refusals[0] == refusals[1]

    async def test_its_token_is_nothing_else(self, api: Api):
        """Neither a refresh token nor a way to create tokens or a session."""
        stage = await a_stage(api)
        secret = await a_token(api, stage.manager, stage.account)
        refresh = "mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) { userErrors { code } } }"
        answer = await api.ask(refresh, input={"refreshToken": secret})
        assert answer.refusal("refreshToken")["code"] == "INVALID_CREDENTIALS"
        own = {"name": "more", "scopes": ["TASKS_WRITE"]}
        assert (await api.ask(TOKEN, secret, input=own)).codes == ["FORBIDDEN"]
        assert (await api.ask("{ sessions { id } }", secret)).codes == ["FORBIDDEN"]


class TestTokens:
    async def test_each_manager_manages_them(self, live: Api):
        """Also those that another one has created; and admins."""
        api, stage = live, await a_stage(live)
        for by in (stage.manager, stage.second, stage.admin):
            sent = {"name": "CI", "scopes": ["TASKS_WRITE", "PROJECTS_MANAGE"], "userId": stage.account}
            created = (await api.ask(TOKEN, by, input=sent)).payload("createAccessToken")
            listed = (await api.ask(TOKENS, stage.second, userId=stage.account)).data["accessTokens"]
            token_id = created["accessToken"]["id"]
            assert token_id in [each["id"] for each in listed]
            me = await api.ask("{ me { username } projects { nodes { key } } }", created["secret"])
            assert me.data == {"me": {"username": stage.name}, "projects": {"nodes": [{"key": stage.project.key}]}}
            revoked = (await api.ask(REVOKE, stage.second, input={"accessTokenId": token_id})).payload(
                "revokeAccessToken"
            )
            assert revoked["revokedAccessTokenId"] == token_id
            await api.numbered()
            assert (await api.ask("{ me { id } }", created["secret"])).codes == ["UNAUTHENTICATED"]

    async def test_nobody_else_finds_them(self, api: Api):
        """The answer is the same for a service account, a person, and an id of nothing."""
        stage = await a_stage(api)
        secret = await a_token(api, stage.manager, stage.account)
        token_id = (await api.ask(TOKENS, stage.manager, userId=stage.account)).data["accessTokens"][0]["id"]
        nothing = encode_id("User", stage.project.id)
        for by in (stage.member, stage.outsider):
            refusals = [
                (await api.ask(TOKEN, by, input={"name": "x", "scopes": ["TASKS_READ"], "userId": each})).refusal(
                    "createAccessToken"
                )
                for each in (stage.account, user(stage.manager), nothing)
            ]
            assert refusals[0] == refusals[1] == refusals[2]
            assert refusals[0]["code"] == "NOT_FOUND"
            for each in (stage.account, user(stage.manager), nothing):
                assert (await api.ask(TOKENS, by, userId=each)).data["accessTokens"] == []
            answer = await api.ask(REVOKE, by, input={"accessTokenId": token_id})
            assert answer.refusal("revokeAccessToken")["code"] == "NOT_FOUND"
            assert (await api.ask(LIST, by)).data["serviceAccounts"] == []
            assert (await api.ask(LIST, by, projectId=project(stage.project))).data["serviceAccounts"] == []
        assert (await api.ask("{ me { id } }", secret)).codes == []
        assert (await api.ask(LIST, stage.second)).data["serviceAccounts"] == [{"username": stage.name}]
        assert (await api.ask(LIST, stage.manager, projectId=project(stage.other))).data["serviceAccounts"] == []

    async def test_an_admin_does_not_act_as_a_person(self, api: Api):
        """Only as a service account."""
        stage = await a_stage(api)
        sent = {"name": "x", "scopes": ["TASKS_READ"], "userId": user(stage.member)}
        assert (await api.ask(TOKEN, stage.admin, input=sent)).refusal("createAccessToken")["code"] == "NOT_FOUND"
        await api.build.an_access_token(stage.member, Scope.TASKS_READ)
        assert (await api.ask(TOKENS, stage.admin, userId=user(stage.member))).data["accessTokens"] == []

    async def test_they_reach_the_project_only(self, api: Api):
        """Not another project, of which its manager is a manager too; and no personal tasks."""
        stage = await a_stage(api)
        refused = {"name": "x", "scopes": ["TASKS_READ"], "userId": stage.account, "projectId": project(stage.other)}
        assert (await api.ask(TOKEN, stage.manager, input=refused)).refusal("createAccessToken")["code"] == "INVALID"
        values = {"projectId": project(stage.other), "userId": stage.account, "role": "MEMBER"}
        assert (await api.ask(ADD, stage.manager, input=values)).refusal("addMember")["code"] == "INVALID"
        secret = await a_token(api, stage.manager, stage.account)
        create = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
          task { owner { username } } userErrors { code } } }"""
        made = await api.ask(create, secret, input={"title": "x", "projectId": project(stage.project)})
        assert made.payload("createTask")["task"]["owner"]["username"] == stage.name
        for sent, code in (
            ({"title": "x"}, "FORBIDDEN"),
            ({"title": "x", "projectId": project(stage.other)}, "NOT_FOUND"),
        ):
            assert (await api.ask(create, secret, input=sent)).refusal("createTask")["code"] == code

    async def test_it_can_be_assigned(self, api: Api):
        """As other members."""
        stage = await a_stage(api)
        task = await api.build.a_task(stage.manager, project_id=stage.project.id)
        assign = """mutation ($input: AssignTaskInput!) { assignTask(input: $input) {
          task { assignee { username kind } } userErrors { code } } }"""
        sent = {"id": encode_id("Task", task.id), "assigneeId": stage.account}
        payload = (await api.ask(assign, stage.manager, input=sent)).payload("assignTask")
        assert payload["task"]["assignee"] == {"username": stage.name, "kind": "SERVICE"}


class TestEnds:
    async def test_who_leaves_manages_it_no_more(self, api: Api):
        """Its creator leaves: the other manager goes on, and the tokens stay."""
        stage = await a_stage(api)
        secret = await a_token(api, stage.manager, stage.account)
        leave = "mutation ($input: LeaveProjectInput!) { leaveProject(input: $input) { userErrors { code } } }"
        (await api.ask(leave, stage.manager, input={"projectId": project(stage.project)})).payload("leaveProject")
        assert (await api.ask(LIST, stage.manager)).data["serviceAccounts"] == []
        assert (await api.ask(TOKENS, stage.manager, userId=stage.account)).data["accessTokens"] == []
        assert (await api.ask("{ me { id } }", secret)).codes == []
        assert len((await api.ask(TOKENS, stage.second, userId=stage.account)).data["accessTokens"]) == 1

    async def test_removed_from_the_project_it_has_no_tokens(self, live: Api):
        """It gets none until a manager adds it again."""
        stage = await a_stage(live)
        secret = await a_token(live, stage.manager, stage.account)
        remove = "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { userErrors { code } } }"
        values = {"projectId": project(stage.project), "userId": stage.account}
        (await live.ask(remove, stage.manager, input=values)).payload("removeMember")
        await live.numbered()
        assert (await live.ask("{ me { id } }", secret)).codes == ["UNAUTHENTICATED"]
        sent = {"name": "x", "scopes": ["TASKS_READ"], "userId": stage.account}
        assert (await live.ask(TOKEN, stage.manager, input=sent)).refusal("createAccessToken")["code"] == "NOT_FOUND"
        (await live.ask(ADD, stage.manager, input=values | {"role": "VIEWER"})).payload("addMember")
        assert (await live.ask("{ me { id } }", await a_token(live, stage.manager, stage.account))).codes == []

    async def test_a_deleted_project_leaves_an_account_without_tokens(self, live: Api):
        """An admin sees it, and can give it no token: it does not become an account of the admins."""
        stage = await a_stage(live)
        secret = await a_token(live, stage.manager, stage.account)
        delete = "mutation ($input: DeleteProjectInput!) { deleteProject(input: $input) { userErrors { code } } }"
        sent = {"id": project(stage.project), "confirmKey": stage.project.key}
        (await live.ask(delete, stage.manager, input=sent)).payload("deleteProject")
        await live.numbered()
        assert (await live.ask("{ me { id } }", secret)).codes == ["UNAUTHENTICATED"]
        assert {"username": stage.name} in (await live.ask(LIST, stage.admin)).data["serviceAccounts"]
        wanted = {"name": "x", "scopes": ["TASKS_READ"], "userId": stage.account}
        for by in (stage.admin, stage.manager):
            assert (await live.ask(TOKEN, by, input=wanted)).refusal("createAccessToken")["code"] == "NOT_FOUND"

    async def test_an_archived_project_keeps_its_tokens(self, api: Api):
        """They can be revoked, and read only."""
        stage = await a_stage(api)
        secret = await a_token(api, stage.manager, stage.account)
        archive = "mutation ($input: ArchiveProjectInput!) { archiveProject(input: $input) { userErrors { code } } }"
        sent = {"id": project(stage.project), "isArchived": True}
        (await api.ask(archive, stage.manager, input=sent)).payload("archiveProject")
        assert (await api.ask("{ tasks { nodes { id } } }", secret)).codes == []
        token_id = (await api.ask(TOKENS, stage.manager, userId=stage.account)).data["accessTokens"][0]["id"]
        (await api.ask(REVOKE, stage.manager, input={"accessTokenId": token_id})).payload("revokeAccessToken")


class TestRoles:
    async def test_it_is_not_the_last_manager(self, api: Api):
        """Nor does it replace a manager who is disabled."""
        manager = await api.a_user()
        row = await api.build.a_project((manager, ProjectRole.MANAGER))
        for role in ("MANAGER", "MEMBER"):
            sent = {"username": a_name(), "projectId": project(row), "projectRole": role}
            (await api.ask(CREATE, manager, input=sent)).payload("createServiceAccount")
        leave = "mutation ($input: LeaveProjectInput!) { leaveProject(input: $input) { userErrors { code } } }"
        refused = await api.ask(leave, manager, input={"projectId": project(row)})
        assert refused.refusal("leaveProject")["code"] == "LAST_MANAGER"
        before = await api.build.roles_in(row.id)
        await set_user_active(api.build.as_(OPERATOR), user_id=manager.id, is_active=False)
        assert await api.build.roles_in(row.id) == before

    @pytest.mark.parametrize("role", ["ADMIN", "MODERATOR"])
    async def test_the_role_of_an_account_of_a_project_stays(self, api: Api, role: str):
        """An admin who wants more creates one without a project."""
        stage = await a_stage(api)
        change = "mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { userErrors { code } } }"
        refused = await api.ask(change, stage.admin, input={"userId": stage.account, "role": role})
        assert refused.refusal("setUserRole")["code"] == "INVALID"
