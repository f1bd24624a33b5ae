"""The literal result of each root query, independent of the executors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.access_token import Scope
from domain.audit import AuditAction, AuditEntry, Detail, Performer, Subject
from domain.project import ProjectRole
from domain.stream_cursor import StreamCursor
from domain.task import TaskPriority, TaskStatus
from domain.user import Role, UserKind
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from persistence.models import TaskRow, UserRow
from services.invitation import create_invitation
from services.mail import LinkMaker
from services.task import delete_task
from tests.support.api import Api

NOON = datetime(2026, 11, 23, 12, 0, 0, 500, tzinfo=UTC)
WRITTEN = "2026-11-23T12:00:00.000500Z"
USER = "{ __typename id username email role isActive createdAt }"
TASK = """{ __typename id title description status priority dueAt version createdAt updatedAt completedAt
  owner { username } assignee { username } viewerCanUpdate viewerCanUpdateStatus viewerCanAssign viewerCanDelete
  number key project { key name viewerRole } }"""
SESSION = "{ __typename id ipAddress userAgent createdAt expiresAt lastUsedAt isCurrent }"
PROJECT = """{ __typename id key name description isArchived version createdAt updatedAt
  viewerRole viewerCanUpdate viewerCanArchive viewerCanDelete viewerCanManageMembers }"""
QUERIES: Mapping[str, str] = {
    "me": f"{{ me {USER} }}",
    "user": f"query ($id: ID!) {{ user(id: $id) {USER} }}",
    "users": f"""{{ users(first: 1) {{ totalCount nodes {USER} edges {{ cursor node {{ username }} }}
      pageInfo {{ hasNextPage hasPreviousPage }} }} }}""",
    "assignableUsers": f"query ($search: String!) {{ assignableUsers(search: $search) {USER} }}",
    "task": f"query ($id: ID!) {{ task(id: $id) {TASK} }}",
    "taskByKey": f"query ($key: String!) {{ taskByKey(key: $key) {TASK} }}",
    "tasks": f"""{{ tasks(first: 1, orderBy: PRIORITY_DESC) {{ totalCount streamCursor nodes {TASK}
      edges {{ cursor node {{ title }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}""",
    "project": f"query ($id: ID, $key: String) {{ project(id: $id, key: $key) {PROJECT} }}",
    "projects": f"""{{ projects(first: 1) {{ totalCount nodes {PROJECT} edges {{ cursor node {{ key }} }}
      pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}""",
    "trash": """{ trash(first: 1) { totalCount nodes {
      __typename id title key status deletedAt subtaskCount commentCount
      owner { username } deletedBy { username } project { key } } pageInfo { hasNextPage hasPreviousPage } } }""",
    "auditLog": """{ auditLog(first: 1, filter: {action: IMPORT_STARTED}) { nodes {
      __typename id at lastAt times action actorName ipAddress subjectKind subjectId subjectName details
      actor { username } } edges { cursor node { times } } pageInfo { hasNextPage hasPreviousPage } } }""",
    "invitations": """{ invitations(first: 1) { nodes {
      __typename id email role projectId projectRole createdAt expiresAt acceptedAt inviter { username } }
      edges { cursor node { email } } pageInfo { hasNextPage hasPreviousPage } } }""",
    "sessions": f"{{ sessions {SESSION} }}",
    "identities": "{ identities { __typename id provider accountName createdAt lastUsedAt } }",
    "signInOptions": "{ signInOptions { __typename passwords registration providers { __typename name label } } }",
    "accessTokens": "{ accessTokens { __typename id name scopes createdAt expiresAt lastUsedAt } }",
    "serviceAccounts": f"{{ serviceAccounts {USER} }}",
    "node": f"""query ($id: ID!) {{ node(id: $id) {{ id ... on Task {TASK} ... on User {USER}
      ... on Session {SESSION} }} }}""",
    "nodes": f"""query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Task {TASK} ... on User {USER}
      ... on Session {SESSION} }} }}""",
}


@dataclass
class Rows:
    """A user with a task of another user, and their JSON."""

    api: Api
    mia: UserRow
    owner: UserRow
    task: TaskRow
    token: str

    @classmethod
    async def made(cls, api: Api) -> "Rows":
        """Users with unique names, and the only task that Mia may see."""
        name = uuid4().hex[:8]
        mia = await api.a_user(username=f"Mia{name}", email=f"mia{name}@example.org", created_at=NOON)
        owner = await api.a_user(Role.MODERATOR, username=f"Owen{name}", created_at=NOON)
        values: dict[str, Any] = {"title": "Water", "description": "The fern", "priority": TaskPriority.HIGH}
        values |= {"status": TaskStatus.DONE, "assignee_id": mia.id, "version": 4, "due_at": NOON}
        dates = dict.fromkeys(("created_at", "updated_at", "completed_at"), NOON)
        task = await api.build.a_task(owner, **values, **dates)
        return cls(api, mia, owner, task, await api.token(mia))

    async def ask(self, name: str, by: UserRow | None = None, /, **variables: Any) -> Any:
        """What a query answers, at first and when it is sent again."""
        first, again = [(await self.api.ask(QUERIES[name], by or self.mia, **variables)).data for _ in range(2)]
        assert first == again
        return first[name]

    def user(self, row: UserRow, *, email: str | None) -> dict[str, Any]:
        """A user as it is written."""
        return {
            "__typename": "User",
            "id": encode_id("User", row.id),
            "username": row.username,
            "email": email,
            "role": row.role.name,
            "isActive": True,
            "createdAt": WRITTEN,
        }

    def the_task(self) -> dict[str, Any]:
        """The JSON of the task for Mia, the assignee."""
        return {
            "__typename": "Task",
            "id": encode_id("Task", self.task.id),
            "title": "Water",
            "description": "The fern",
            "status": "DONE",
            "priority": "HIGH",
            "dueAt": WRITTEN,
            "version": 4,
            "createdAt": WRITTEN,
            "updatedAt": WRITTEN,
            "completedAt": WRITTEN,
            "owner": {"username": self.owner.username},
            "assignee": {"username": self.mia.username},
            "viewerCanUpdate": False,
            "viewerCanUpdateStatus": True,
            "viewerCanAssign": False,
            "viewerCanDelete": False,
            "number": None,
            "key": None,
            "project": None,
        }

    async def a_session(self) -> dict[str, Any]:
        """Another device of Mia's, and how it is written."""
        row = await self.api.build.a_session(
            self.mia,
            ip_address="192.0.2.7",
            user_agent="Test/1",
            created_at=NOON,
            expires_at=datetime(2099, 1, 1, tzinfo=UTC),
        )
        return {
            "__typename": "Session",
            "id": encode_id("Session", row.id),
            "ipAddress": "192.0.2.7",
            "userAgent": "Test/1",
            "createdAt": WRITTEN,
            "expiresAt": "2099-01-01T00:00:00Z",
            "lastUsedAt": None,
            "isCurrent": False,
        }


@pytest.fixture
async def rows(api: Api) -> Rows:
    """The rows of a test."""
    return await Rows.made(api)


def test_every_root_query_is_here():
    """A new query needs its literal expectation."""
    assert schema._schema.query_type is not None
    assert {*QUERIES} == {*schema._schema.query_type.fields}


class TestTrash:
    async def test_an_own_task(self, rows: Rows):
        """The task that its owner deleted, and the number of all of them."""
        build = rows.api.build
        mine = await build.a_task(rows.mia, title="Mine")
        await delete_task(build.as_(rows.mia, now=NOON), task_id=mine.id)
        user = {"username": rows.mia.username}
        assert await rows.ask("trash") == {
            "totalCount": 1,
            "nodes": [
                {
                    "__typename": "DeletedTask",
                    "id": encode_id("Task", mine.id),
                    "title": "Mine",
                    "key": None,
                    "status": "TODO",
                    "deletedAt": WRITTEN,
                    "subtaskCount": 0,
                    "commentCount": 0,
                    "owner": user,
                    "deletedBy": user,
                    "project": None,
                }
            ],
            "pageInfo": {"hasNextPage": False, "hasPreviousPage": False},
        }


class TestAuditLog:
    async def test_an_entry(self, rows: Rows):
        """With all its fields, as an admin sees it."""
        build, admin = rows.api.build, await rows.api.a_user(Role.ADMIN)
        uow = build.as_(rows.mia, now=NOON)
        async with uow:
            details: dict[str, Detail] = {"source": "a\nb", "owners": True}
            subject = Subject.session(rows.task.id, rows.mia.username)
            uow.audit(AuditEntry(AuditAction.IMPORT_STARTED, subject, details, Performer(rows.mia.id, "mia")))
            await uow.commit()
        [node] = (page := (await rows.api.ask(QUERIES["auditLog"], admin)).data["auditLog"])["nodes"]
        entry_id = node.pop("id")
        assert entry_id
        assert node == {
            "__typename": "AuditEntry",
            "at": WRITTEN,
            "lastAt": None,
            "times": 1,
            "action": "IMPORT_STARTED",
            "actorName": "mia",
            "ipAddress": None,
            "subjectKind": "SESSION",
            "subjectId": encode_id("Session", rows.task.id),
            "subjectName": rows.mia.username,
            "details": r'{"owners":true,"source":"a\\x0ab"}',
            "actor": {"username": rows.mia.username},
        }
        assert [edge["node"] for edge in page["edges"]] == [{"times": 1}]
        assert page["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": False}


class TestUsers:
    async def test_me(self, rows: Rows):
        """The actor's own row, with the address."""
        assert await rows.ask("me") == rows.user(rows.mia, email=rows.mia.email)

    async def test_user(self, rows: Rows):
        """Another user without the address; null for an unknown id."""
        wanted = encode_id("User", rows.owner.id)
        assert await rows.ask("user", id=wanted) == rows.user(rows.owner, email=None)
        assert await rows.ask("user", id=encode_id("User", uuid4())) is None

    async def test_users(self, rows: Rows):
        """The newest first, with addresses for an admin."""
        admin = await rows.api.a_user(Role.ADMIN)
        later = (datetime.now(UTC) + timedelta(hours=1)).replace(minute=0, second=0, microsecond=500)
        newest = await rows.api.a_user(created_at=later)
        page = await rows.ask("users", admin)
        expected = rows.user(newest, email=newest.email) | {"createdAt": f"{later:%Y-%m-%dT%H}:00:00.000500Z"}

        assert page["nodes"] == [expected]
        assert [edge["node"] for edge in page["edges"]] == [{"username": newest.username}]
        assert page["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}
        assert page["totalCount"] >= 4

    async def test_assignable_users(self, rows: Rows):
        """By the beginning of their names, ignoring case; only the own address is shown."""
        assert await rows.ask("assignableUsers", search=rows.mia.username.upper()) == (
            [rows.user(rows.mia, email=rows.mia.email)]
        )
        assert await rows.ask("assignableUsers", search=f"no {rows.mia.username}") == []


class TestTasks:
    async def test_task(self, rows: Rows):
        """The whole task; null for a missing one."""
        assert await rows.ask("task", id=encode_id("Task", rows.task.id)) == rows.the_task()
        assert await rows.ask("task", id=encode_id("Task", uuid4())) is None

    async def test_tasks(self, rows: Rows):
        """A page with its cursors, its ends, its total and the position of the stream."""
        page = await rows.ask("tasks")
        [edge] = page["edges"]

        assert page["nodes"] == [rows.the_task()]
        assert edge["node"] == {"title": "Water"}
        assert page["totalCount"] == 1
        assert page["pageInfo"] == {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": edge["cursor"],
            "endCursor": edge["cursor"],
        }
        assert StreamCursor.decode(page["streamCursor"]).position >= 0


class TestTaskByKey:
    async def test_a_task_of_a_project(self, rows: Rows):
        """By the current and by an old key of the project, in any case; null for other keys and other users."""
        key, old = (f"A{uuid4().hex[:8]}".upper() for _ in range(2))
        project = await rows.api.build.a_project((rows.mia, ProjectRole.MEMBER), key=key, name="Site")
        await rows.api.build.a_key(project, old)
        task = await rows.api.build.a_task(rows.owner, project_id=project.id, number=12)
        found = await rows.ask("taskByKey", key=f"{key}-12")

        assert (found["id"], found["number"], found["key"]) == (encode_id("Task", task.id), 12, f"{key}-12")
        assert found["project"] == {"key": key, "name": "Site", "viewerRole": "MEMBER"}
        assert [found[f"viewerCan{right}"] for right in ("Update", "UpdateStatus", "Assign", "Delete")] == (
            [True, True, True, False]
        )
        assert await rows.ask("taskByKey", key=f" {old.lower()}-012 ") == found
        for other in (
            f"{key}-13",
            f"{key}-",
            f"{key}12",
            f"{key}-99999999999",
            f"{key}-9999999999",
            "",
            "-",
            "é-1",
        ):
            assert await rows.ask("taskByKey", key=other) is None
        outsider = await rows.api.a_user()
        assert await rows.ask("taskByKey", outsider, key=f"{key}-12") is None
        assert (await rows.ask("taskByKey", rows.owner, key=f"{key}-12"))["project"]["viewerRole"] is None


class TestProjects:
    async def test_project(self, rows: Rows):
        """By id and by key; null for another one."""
        key = f"A{uuid4().hex[:8]}".upper()
        facts: dict[str, Any] = {"key": key, "name": "Site", "description": "All pages", "version": 3}
        made = await rows.api.build.a_project(
            (rows.mia, ProjectRole.MEMBER), **facts, is_archived=True, created_at=NOON, updated_at=NOON
        )
        written = {"__typename": "Project", "id": encode_id("Project", made.id), "isArchived": True, **facts}
        written |= {"createdAt": WRITTEN, "updatedAt": WRITTEN, "viewerRole": "MEMBER"}
        rights = ("viewerCanUpdate", "viewerCanArchive", "viewerCanDelete", "viewerCanManageMembers")
        written |= dict.fromkeys(rights, False)

        assert await rows.ask("project", id=encode_id("Project", made.id)) == written
        assert await rows.ask("project", key=key.lower()) == written
        assert await rows.ask("project", id=encode_id("Project", uuid4())) is None
        assert await rows.ask("project", rows.owner, key=key) == written | {"viewerRole": None}

    async def test_projects(self, rows: Rows):
        """A page with its cursors, its ends and its total."""
        keys = sorted(f"{letter}{uuid4().hex[:8]}".upper() for letter in "AB")
        for key in keys:
            await rows.api.build.a_project((rows.mia, ProjectRole.MANAGER), key=key)
        page = await rows.ask("projects")
        [edge] = page["edges"]

        assert [node["key"] for node in page["nodes"]] == [keys[0]]
        assert page["nodes"][0]["viewerCanManageMembers"] is True
        assert edge["node"] == {"key": keys[0]}
        assert page["totalCount"] == 2
        assert page["pageInfo"] == {
            "hasNextPage": True,
            "hasPreviousPage": False,
            "startCursor": edge["cursor"],
            "endCursor": edge["cursor"],
        }


class TestInvitations:
    async def test_an_invitation(self, rows: Rows):
        """With all its fields, as an admin sees it."""
        admin = await rows.api.a_user(Role.ADMIN)
        created = await create_invitation(
            rows.api.build.as_(admin, now=NOON),
            email="grace@example.org",
            role=Role.MODERATOR,
            project_id=None,
            project_role=None,
            lifetime=timedelta(days=1),
            links=LinkMaker(b"key", None),
            sends_mail=False,
        )
        page = (await rows.api.ask(QUERIES["invitations"], admin)).data["invitations"]
        assert page["nodes"] == [
            {
                "__typename": "Invitation",
                "id": encode_id("Invitation", created.row.id),
                "email": "grace@example.org",
                "role": "MODERATOR",
                "projectId": None,
                "projectRole": None,
                "createdAt": WRITTEN,
                "expiresAt": WRITTEN.replace("-23T", "-24T"),
                "acceptedAt": None,
                "inviter": {"username": admin.username},
            }
        ]


class TestSessions:
    async def test_sessions(self, rows: Rows):
        """The own sessions, the newest first."""
        other = await rows.a_session()
        current, older = await rows.ask("sessions")

        assert older == other
        assert current["isCurrent"] is True

    async def test_access_tokens(self, rows: Rows):
        """The own ones, without what is secret."""
        scopes = (Scope.TASKS_READ, Scope.PROJECTS_MANAGE)
        row, _ = await rows.api.build.an_access_token(rows.mia, *scopes, name="CI", created_at=NOON, last_used_at=NOON)
        await rows.api.build.an_access_token(rows.owner, Scope.ADMIN)
        assert await rows.ask("accessTokens") == [
            {
                "__typename": "AccessToken",
                "id": encode_id("AccessToken", row.id),
                "name": "CI",
                "scopes": ["TASKS_READ", "PROJECTS_MANAGE"],
                "createdAt": WRITTEN,
                "expiresAt": row.expires_at.isoformat().replace("+00:00", "Z"),
                "lastUsedAt": WRITTEN,
            }
        ]

    async def test_identities(self, rows: Rows):
        """The own ones."""
        row = await rows.api.build.an_identity(rows.mia, created_at=NOON, account_name="mia@corp.example")
        await rows.api.build.an_identity(rows.owner)
        assert await rows.ask("identities") == [
            {
                "__typename": "Identity",
                "id": encode_id("Identity", row.id),
                "provider": "one",
                "accountName": "mia@corp.example",
                "createdAt": WRITTEN,
                "lastUsedAt": None,
            }
        ]

    async def test_sign_in_options(self, rows: Rows):
        """A server without providers has passwords."""
        assert await rows.ask("signInOptions") == {
            "__typename": "SignInOptions",
            "passwords": True,
            "registration": "OPEN",
            "providers": [],
        }

    async def test_service_accounts(self, rows: Rows):
        """Those of the project that Mia manages, without the stored address."""
        project = await rows.api.build.a_project((rows.mia, ProjectRole.MANAGER))
        account, _ = [
            await rows.api.a_user(kind=UserKind.SERVICE, project_id=project_id, created_at=NOON)
            for project_id in (project.id, uuid4())
        ]
        assert await rows.ask("serviceAccounts") == [
            {
                "__typename": "User",
                "id": encode_id("User", account.id),
                "username": account.username,
                "email": None,
                "role": "USER",
                "isActive": True,
                "createdAt": WRITTEN,
            }
        ]


class TestNodes:
    async def test_node(self, rows: Rows):
        """A task, a user and a session; null for what is not there."""
        session = await rows.a_session()
        assert await rows.ask("node", id=encode_id("Task", rows.task.id)) == rows.the_task()
        assert await rows.ask("node", id=encode_id("User", rows.owner.id)) == rows.user(rows.owner, email=None)
        assert await rows.ask("node", id=session["id"]) == session
        for kind in ("Task", "User", "Session", "Thing"):
            assert await rows.ask("node", id=encode_id(kind, uuid4())) is None

    async def test_nodes(self, rows: Rows):
        """In the order of the ids."""
        session = await rows.a_session()
        ids = [session["id"], encode_id("Task", uuid4()), *(encode_id("User", rows.mia.id),) * 2]
        me = rows.user(rows.mia, email=rows.mia.email)

        assert await rows.ask("nodes", ids=[*ids, encode_id("Task", rows.task.id)]) == (
            [session, None, me, me, rows.the_task()]
        )
