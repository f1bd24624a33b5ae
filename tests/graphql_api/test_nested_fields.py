"""The literal results of fields below the root: they do not depend on the declarations or on an executor."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, TypeInfo, TypeInfoVisitor, Visitor, parse, visit

from domain.access_token import Scope
from domain.actor import OPERATOR
from domain.audit import AuditAction, AuditEntry, Subject, SubjectKind
from domain.project import ProjectRole
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from graphql_api.schema.resolves_to import meaning_of
from persistence.models import UserRow, VisibleTaskRow
from services import membership as membership_service
from services import task as task_service
from services import task_creation
from services.task_edit import TaskEdit
from tests.graphql_api.stream_client import signed_in
from tests.graphql_api.test_project_stream import EVERYTHING, OWN
from tests.graphql_api.test_sessions import PASSWORD
from tests.support.api import Api

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
USER = "{ id username email role isActive createdAt }"
PEOPLE = f"query ($id: ID!) {{ task(id: $id) {{ owner {USER} assignee {USER} }} }}"
PERMISSIONS = """query ($id: ID!) {
  task(id: $id) { viewerCanUpdate viewerCanUpdateStatus viewerCanAssign viewerCanDelete } }"""
HISTORY = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { task(id: $id) {
  history(first: $first, after: $after, last: $last, before: $before) {
    nodes { at changes from to version by { username email } } edges { cursor node { version } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
HISTORIES = "{ tasks(orderBy: CREATED_ASC) { nodes { title history { nodes { version } } } } }"
POSITION = "{ hasNextPage hasPreviousPage startCursor endCursor }"
TASKS = f"""query ($search: String!) {{ tasks(filter: {{search: $search}}) {{
  totalCount streamCursor nodes {{ id }} pageInfo {POSITION} }} }}"""
USERS = f"query ($first: Int) {{ users(first: $first) {{ totalCount nodes {{ id }} pageInfo {POSITION} }} }}"
SESSIONS = "{ sessions { id isCurrent } }"
IDENTITIES = "{ identities { id } }"
ACCESS_TOKENS = "{ accessTokens { id scopes project { key } } }"
INVITATIONS = """{ invitations(first: 1) { nodes { id email projectId inviter { username emailVerifiedAt } }
  pageInfo { hasNextPage } } }"""
AUDIT = "{ auditLog(first: 1, filter: {action: AUDIT_EXPORTED}) { nodes { id subjectId details actor { id } } } }"
STATUS = f"""mutation ($input: UpdateTaskStatusInput!) {{ updateTaskStatus(input: $input) {{
  task {{ id viewerCanDelete owner {USER} assignee {USER} }} }} }}"""
REGISTER = f"mutation ($input: RegisterInput!) {{ register(input: $input) {{ user {USER} }} }}"
LOGIN = f"mutation ($input: LoginInput!) {{ login(input: $input) {{ user {USER} }} }}"
STREAM = """subscription { taskChanged { task { id history { nodes { version } } owner { email } }
  ... on TaskChanged { changes by { username email } } } }"""
MOVES = """subscription { taskStatusChanged { task { viewerCanUpdate assignee { email } }
  ... on TaskStatusChanged { from to by { username email } } } }"""
PROJECT = """query ($id: ID!) { project(id: $id) {
  id viewerRole viewerCanUpdate viewerCanArchive viewerCanDelete viewerCanManageMembers } }"""
MEMBERS = f"""{{ projects {{ totalCount nodes {{ key members(first: 2) {{
  nodes {{ id role user {USER} }} pageInfo {POSITION} }} }} }} }}"""
KEYS = f"""{{ tasks(orderBy: CREATED_ASC) {{ nodes {{ title number key project {{
  id key name viewerRole viewerCanUpdate members(first: 1) {{ nodes {{ role user {USER} }} }} }} }} }} }}"""
MOVE_IN_PROJECT = """mutation ($input: UpdateTaskStatusInput!) { updateTaskStatus(input: $input) {
  task { key number viewerCanDelete project { key viewerRole isArchived } owner { username } }
  userErrors { code } } }"""
KEYS_IN_STREAM = """subscription { taskChanged { task {
  key number viewerCanUpdate project { key viewerRole viewerCanUpdate } } } }"""
COMMENTS = f"""query ($id: ID!) {{ task(id: $id) {{ commentCount viewerCanComment viewerCanDeleteComments
  comments {{ nodes {{ id text version isEdited viewerDidWrite author {USER} }} }} }} }}"""
WRITE_COMMENT = """mutation ($input: CreateCommentInput!) { createComment(input: $input) {
  comment { text viewerDidWrite author { username } } task { commentCount version viewerCanComment }
  userErrors { code path message } } }"""
COMMENTS_IN_STREAM = """subscription ($filter: TaskStreamFilter, $after: String) {
  commentChanged(filter: $filter, after: $after) { __typename cursor taskId task { commentCount }
    ... on CommentChanged { commentId change commentCount by { username }
      comment { id text isEdited viewerDidWrite author { username } } } } }"""
LABELS = """query ($id: ID!) { task(id: $id) { labels { nodes { id name color } }
  project { viewerCanManageLabels labels { nodes { id name color } } } } }"""
SUBTASKS = f"""query ($id: ID!, $first: Int) {{ task(id: $id) {{ title parent {{ title key viewerCanUpdate }}
  subtasks(first: $first) {{ nodes {{ title rank parent {{ id project {{ key }} }} }} edges {{ cursor node {{ title }}
    }} pageInfo {POSITION} }} }} }}"""
SET_PARENT = """mutation ($input: SetTaskParentInput!) { setTaskParent(input: $input) {
  task { version parent { title subtaskCount } subtasks { nodes { title } } } userErrors { code path message } } }"""
SUBTASKS_IN_STREAM = """subscription { taskChanged { task { title parent { title viewerCanUpdate }
  subtasks { nodes { title } } } ... on TaskChanged { changes } } }"""
TRASH = f"""query ($project: ID, $first: Int, $after: String) {{
  trash(projectId: $project, first: $first, after: $after) {{
    totalCount nodes {{ id key title status subtaskCount commentCount deletedAt project {{ key viewerRole }}
      owner {USER} deletedBy {USER} }} edges {{ cursor node {{ title }} }} pageInfo {POSITION} }} }}"""
JOINED = """subscription { taskChanged(withProjects: true) {
  ... on ProjectAppeared { project { key viewerRole } by { email } } } }"""
MEMBERS_IN_STREAM = """subscription ($id: ID!) { projectChanged(projectId: $id) {
  ... on MemberChanged { project { key viewerRole } user { email } by { email } } } }"""
STREAM_CURSORS = """query ($id: ID!, $key: String!, $task: ID!) {
  project(id: $id) { streamCursor } byKey: project(key: $key) { streamCursor }
  node(id: $id) { ... on Project { streamCursor } } nodes(ids: [$id]) { ... on Project { streamCursor } }
  projects { nodes { streamCursor } edges { node { streamCursor } } }
  task(id: $task) { project { streamCursor } subtasks { nodes { parent { project { streamCursor } } } } } }"""
MAY_CREATE = "query ($id: ID!) { me { viewerCanCreateProjects } user(id: $id) { viewerCanCreateProjects } }"
DOCUMENTS = (
    PEOPLE, PERMISSIONS, HISTORY, HISTORIES, TASKS, USERS, SESSIONS, STATUS, REGISTER, LOGIN, STREAM, MOVES, PROJECT,
    MEMBERS, KEYS, MOVE_IN_PROJECT, KEYS_IN_STREAM, COMMENTS, WRITE_COMMENT, COMMENTS_IN_STREAM, LABELS, SUBTASKS,
    SET_PARENT, SUBTASKS_IN_STREAM, TRASH, JOINED, MEMBERS_IN_STREAM, EVERYTHING, OWN, STREAM_CURSORS,
    MAY_CREATE,
    IDENTITIES, ACCESS_TOKENS, AUDIT, INVITATIONS,
)  # fmt: skip
EMPTY = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}


async def ask(api: Api, query: str, by: UserRow, /, **variables: Any) -> Any:
    """The value of the only root field of a query; a second request must have the same value."""
    first, again = [(await api.ask(query, by, **variables)).data for _ in range(2)]
    assert first == again
    [value] = first.values()
    return value


def user(row: UserRow, *, email: str | None, created_at: str = "2026-11-23T12:00:00Z") -> dict[str, Any]:
    """The fields of a user."""
    return {
        "id": encode_id("User", row.id),
        "username": row.username,
        "email": email,
        "role": row.role.name,
        "isActive": True,
        "createdAt": created_at,
    }


async def people(api: Api) -> tuple[UserRow, UserRow]:
    """Two users who were created at noon."""
    return await api.a_user(created_at=NOON), await api.a_user(created_at=NOON)


async def a_task_with_a_history(api: Api, owner: UserRow, assignee: UserRow) -> VisibleTaskRow:
    """A task that its owner created, its assignee moved, and the operator renamed, an hour apart."""
    times = [NOON + timedelta(hours=hours) for hours in range(3)]
    task = await task_creation.create_task(api.build.as_(owner, now=times[0]), title="Water", assignee_id=assignee.id)
    await task_service.update_task_status(
        api.build.as_(assignee, now=times[1]), task_id=task.id, status=TaskStatus.DONE
    )
    await task_service.update_task(
        api.build.as_(OPERATOR, now=times[2]), task_id=task.id, edit=TaskEdit(title="Water the fern")
    )
    await api.numbered()
    return task


class Coverage(Visitor):
    """Collects the fields that documents select, as `Type.field`."""

    def __init__(self, info: TypeInfo, found: set[str]) -> None:
        super().__init__()
        self._info = info
        self._found = found

    def enter_field(self, node: Any, *_: object) -> None:
        parent = self._info.get_parent_type()
        assert parent is not None
        self._found.add(f"{parent.name}.{node.name.value}")


def selected() -> set[str]:
    """The fields that the documents of this module select."""
    found: set[str] = set()
    for document in DOCUMENTS:
        info = TypeInfo(schema._schema)
        visit(parse(document), TypeInfoVisitor(info, Coverage(info, found)))
    return found


def declared(roots: Collection[str] = ("Query", "Mutation", "Subscription")) -> set[str]:
    """The fields below the root that declare what they resolve to."""
    kinds = [kind for kind in schema._schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    return {
        f"{kind.name}.{name}"
        for kind in kinds
        if kind.name not in roots
        for name, field in kind.fields.items()
        if meaning_of(field) is not None
    }


def test_every_declared_field_is_here():
    """A new field that declares what it resolves to needs its literal expectation."""
    assert declared() - selected() == set()


def test_every_field_with_a_resolver_declares_what_it_resolves_to():
    """Its resolver is derived, and operations that select it are compiled."""
    resolved = {
        f"{kind.name}.{name}"
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        for name, field in kind.fields.items()
        if (definition := field.extensions.get("strawberry-definition")) and not definition.is_basic_field
        if meaning_of(field) is None
    }
    subscriptions = {f"Subscription.{each}Changed" for each in ("taskStatus", "task", "comment", "project")}
    assert resolved == {*subscriptions, "Query.signInOptions"}  # which reads no row


class TestTask:
    async def test_people(self, api: Api):
        """Each viewer sees their own address, and admins see all."""
        owner, assignee = await people(api)
        admin = await api.a_user(Role.ADMIN)
        task = encode_id("Task", (await api.build.a_task(owner, assignee_id=assignee.id)).id)
        for viewer, addresses in (
            (owner, (owner.email, None)),
            (assignee, (None, assignee.email)),
            (admin, (owner.email, assignee.email)),
        ):
            assert await ask(api, PEOPLE, viewer, id=task) == {
                "owner": user(owner, email=addresses[0]),
                "assignee": user(assignee, email=addresses[1]),
            }

    async def test_nobody(self, api: Api):
        """A task that is not assigned has no assignee."""
        owner, _ = await people(api)
        task = await api.build.a_task(owner)

        assert await ask(api, PEOPLE, owner, id=encode_id("Task", task.id)) == {
            "owner": user(owner, email=owner.email),
            "assignee": None,
        }

    @pytest.mark.parametrize(
        ("viewer", "update", "status", "assign", "delete"),
        [
            ("owner", True, True, True, True),
            ("assignee", False, True, False, False),
            ("moderator", False, False, False, True),
            ("admin", True, True, True, True),
        ],
    )
    async def test_permissions(self, api: Api, viewer: str, update: bool, status: bool, assign: bool, delete: bool):
        """What a viewer may do with a task, by relation and role."""
        owner, assignee = await people(api)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        viewers = {"owner": owner, "assignee": assignee}
        row = viewers[viewer] if viewer in viewers else await api.a_user(Role[viewer.upper()])

        assert await ask(api, PERMISSIONS, row, id=encode_id("Task", task.id)) == {
            "viewerCanUpdate": update,
            "viewerCanUpdateStatus": status,
            "viewerCanAssign": assign,
            "viewerCanDelete": delete,
        }

    async def test_subtasks_and_their_parent(self, api: Api):
        """Subtasks come by rank. Each viewer sees the parent with their own rights."""
        mia, other = await people(api)
        project = await api.build.a_project((mia, ProjectRole.MANAGER), (other, ProjectRole.VIEWER), key="SUBS")
        in_project = {"project_id": project.id}
        paint = await api.build.a_task(mia, title="Paint", number=1, rank="V0000001", subtask_count=2, **in_project)
        under = in_project | {"parent_id": paint.id}
        wall = await api.build.a_task(mia, title="Wall", number=2, rank="V0000003", **under)
        await api.build.a_task(mia, title="Gate", number=3, rank="V0000002V", **under)
        parent = {"id": encode_id("Task", paint.id), "project": {"key": "SUBS"}}
        ranks = (("Gate", "V0000002V"), ("Wall", "V0000003"))
        nodes = [{"title": title, "rank": rank, "parent": parent} for title, rank in ranks]
        for viewer, may_update in ((mia, True), (other, False)):
            whole = await ask(api, SUBTASKS, viewer, id=encode_id("Task", paint.id))
            assert (whole["parent"], whole["subtasks"]["nodes"]) == (None, nodes)
            assert [edge["node"] for edge in whole["subtasks"]["edges"]] == [{"title": "Gate"}, {"title": "Wall"}]
            page = (await ask(api, SUBTASKS, viewer, id=encode_id("Task", paint.id), first=1))["subtasks"]
            cursor = whole["subtasks"]["edges"][0]["cursor"]
            assert page["pageInfo"] == EMPTY | {"hasNextPage": True, "startCursor": cursor, "endCursor": cursor}
            shown = {"title": "Paint", "key": "SUBS-1", "viewerCanUpdate": may_update}
            none = {"nodes": [], "edges": [], "pageInfo": EMPTY}
            under = await ask(api, SUBTASKS, viewer, id=encode_id("Task", wall.id))
            assert under == {"title": "Wall", "parent": shown, "subtasks": none}


class TestPages:
    async def test_tasks(self, api: Api):
        """The total counts all tasks that match, and a page without tasks has no cursors."""
        owner, _ = await people(api)
        await api.build.a_task(owner, title="Water")
        some, none = [await ask(api, TASKS, owner, search=word) for word in ("water", "boat")]

        assert (some["totalCount"], none["totalCount"]) == (1, 0)
        assert some["pageInfo"]["startCursor"] == some["pageInfo"]["endCursor"] is not None
        assert none["pageInfo"] == EMPTY
        assert StreamCursor.decode(none["streamCursor"]).position >= 0

    async def test_users(self, api: Api):
        """The total counts users beyond the page, too."""
        await people(api)
        page = await ask(api, USERS, await api.a_user(Role.ADMIN), first=1)

        assert page["totalCount"] > len(page["nodes"]) == 1
        assert page["pageInfo"]["startCursor"] == page["pageInfo"]["endCursor"] is not None
        assert (page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]) == (False, True)


class TestTrash:
    async def test_what_is_in_it(self, api: Api):
        """The last one first, without subtasks; for those who may restore it."""
        mia, other = await people(api)
        project = await api.build.a_project((mia, ProjectRole.MANAGER), (other, ProjectRole.MEMBER), key="TRASH")
        values = {"project_id": project.id, "subtask_count": 1, "comment_count": 2}
        paint = await api.build.a_task(other, number=7, title="Paint", **values)
        await api.build.a_task(other, parent_id=paint.id, project_id=project.id)
        water = await api.build.a_task(other, number=8, title="Water", project_id=project.id)
        await task_service.delete_task(api.build.as_(mia, now=NOON), task_id=paint.id)
        await task_service.delete_task(api.build.as_(OPERATOR, now=NOON), task_id=water.id)
        shown = {
            "id": encode_id("Task", paint.id), "key": "TRASH-7", "title": "Paint", "status": "TODO", "subtaskCount": 1,
            "commentCount": 2, "deletedAt": "2026-11-23T12:00:00Z", "owner": user(other, email=None),
            "project": {"key": "TRASH", "viewerRole": "MANAGER"}, "deletedBy": user(mia, email=mia.email),
        }  # fmt: skip
        alone = {"id": encode_id("Task", water.id), "key": "TRASH-8", "title": "Water", "subtaskCount": 0}
        whole = await ask(api, TRASH, mia, project=encode_id("Project", project.id))
        cursors = [edge["cursor"] for edge in whole["edges"]]
        page = await ask(api, TRASH, mia, project=encode_id("Project", project.id), first=1, after=cursors[0])

        assert whole["nodes"] == [shown | alone | {"commentCount": 0, "deletedBy": None}, shown]
        assert (page["totalCount"], page["nodes"], page["edges"]) == (2, [shown], whole["edges"][1:])
        assert page["pageInfo"] == EMPTY | {"hasPreviousPage": True, "startCursor": cursors[1], "endCursor": cursors[1]}
        nothing = {"totalCount": 0, "nodes": [], "edges": [], "pageInfo": EMPTY}
        assert await ask(api, TRASH, other, project=encode_id("Project", project.id)) == nothing


class TestSessions:
    async def test_the_session_of_the_request(self, api: Api):
        """Only this one is current."""
        owner, _ = await people(api)
        await api.token(owner)
        other = await api.build.a_session(owner, created_at=NOON)

        newest, oldest = await ask(api, SESSIONS, owner)
        assert newest["isCurrent"] is True
        assert oldest == {"id": encode_id("Session", other.id), "isCurrent": False}


class TestAccessTokens:
    async def test_the_tokens_of_a_user(self, api: Api):
        """The id is that of the token; the scopes and the project are those that were given."""
        owner, _ = await people(api)
        token, _ = await api.build.an_access_token(owner, Scope.TASKS_WRITE, Scope.ACCOUNT)
        project = await api.build.a_project((owner, ProjectRole.VIEWER))
        limited, _ = await api.build.an_access_token(owner, Scope.TASKS_READ, project_id=project.id)

        assert await ask(api, ACCESS_TOKENS, owner) == [
            {"id": encode_id("AccessToken", limited.id), "scopes": ["TASKS_READ"], "project": {"key": project.key}},
            {"id": encode_id("AccessToken", token.id), "scopes": ["TASKS_WRITE", "ACCOUNT"], "project": None},
        ]


class TestIdentities:
    async def test_the_identities_of_a_user(self, api: Api):
        """The id is that of the identity."""
        owner, _ = await people(api)
        identity = await api.build.an_identity(owner)

        assert await ask(api, IDENTITIES, owner) == [{"id": encode_id("Identity", identity.id)}]


class TestAudit:
    async def test_an_entry(self, api: Api):
        """The actor is the user, and the details are a text."""
        admin = await api.a_user(Role.ADMIN)
        entry = await self.entry(api, admin, SubjectKind.USER)
        assert entry["actor"] == {"id": encode_id("User", admin.id)}
        assert entry["details"] == '{"reason":"left"}'
        assert entry["id"]

    @pytest.mark.parametrize(
        ("kind", "name"), [*zip(SubjectKind, ("User", "Session", "AccessToken", "Project", "Invitation"), strict=True)]
    )
    async def test_a_subject(self, api: Api, kind: SubjectKind, name: str):
        """It has the id of its kind."""
        entry = await self.entry(api, await api.a_user(Role.ADMIN), kind)
        assert entry["subjectId"] == encode_id(name, UUID(int=7))

    async def entry(self, api: Api, admin: UserRow, kind: SubjectKind) -> Any:
        """The newest entry."""
        async with api.build.as_(api.build.actor(admin)) as uow:
            subject = Subject(kind, UUID(int=7), "name")
            uow.audit(AuditEntry(AuditAction.AUDIT_EXPORTED, subject, {"reason": "left"}))
            await uow.commit()
        [entry] = (await ask(api, AUDIT, admin))["nodes"]
        return entry


class TestPayloads:
    async def test_a_task(self, api: Api):
        """The payload of a change has the same fields of the task as a query."""
        owner, assignee = await people(api)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        answer = await api.ask(STATUS, assignee, input={"id": encode_id("Task", task.id), "status": "DONE"})

        assert answer.data["updateTaskStatus"]["task"] == {
            "id": encode_id("Task", task.id),
            "viewerCanDelete": False,
            "owner": user(owner, email=None),
            "assignee": user(assignee, email=assignee.email),
        }

    async def test_the_user_who_registers_and_signs_in(self, api: Api):
        """They see their own address although the request is anonymous, and although it has another user's token."""
        name = f"new{uuid4().hex[:8]}"
        values = {"username": name, "password": PASSWORD}
        registered = await api.ask(REGISTER, input=values | {"email": f"{name}@example.org"})
        anonymous = await api.ask(LOGIN, input=values)
        as_another = await api.ask(LOGIN, await api.a_user(), input=values)

        expected = {"username": name, "email": f"{name}@example.org", "role": "USER", "isActive": True}
        for answer, field in ((registered, "register"), (anonymous, "login"), (as_another, "login")):
            found = answer.data[field]["user"]
            assert {key: found[key] for key in expected} == expected


class TestStream:
    async def test_a_change(self, live: Api):
        """Its author and the task, as the subscriber may see them."""
        owner, assignee = await people(live)
        task = await live.build.a_task(owner, assignee_id=assignee.id)
        async with signed_in(live, assignee) as listener:
            await listener.listen(STREAM)
            await task_service.update_task(live.build.as_(owner), task_id=task.id, edit=TaskEdit(title="Paint"))

            assert await listener.receive() == {
                "task": {
                    "id": encode_id("Task", task.id),
                    "history": {"nodes": [{"version": 2}]},
                    "owner": {"email": None},
                },
                "changes": ["TITLE"],
                "by": {"username": owner.username, "email": None},
            }

    async def test_a_move(self, live: Api):
        """Its author is null if the operator made it."""
        owner, assignee = await people(live)
        task = await live.build.a_task(owner, assignee_id=assignee.id)
        async with signed_in(live, assignee) as listener:
            await listener.listen(MOVES)
            for author in (live.build.as_(assignee), live.build.as_(OPERATOR)):
                status = TaskStatus.DONE if author.actor is not OPERATOR else TaskStatus.TODO
                await task_service.update_task_status(author, task_id=task.id, status=status)
            seen = {"viewerCanUpdate": False, "assignee": {"email": assignee.email}}
            by = {"username": assignee.username, "email": assignee.email}

            assert [await listener.receive() for _ in range(2)] == [
                {"task": seen, "from": "TODO", "to": "DONE", "by": by},
                {"task": seen, "from": "DONE", "to": "TODO", "by": None},
            ]

    async def test_a_new_member(self, live: Api):
        """As the other members see it, and as the new one does."""
        mia, other = await people(live)
        project = await live.build.a_project((mia, ProjectRole.MANAGER), key="JOINED")
        uow, role = live.build.as_(mia), ProjectRole.VIEWER
        async with signed_in(live, mia) as manager, signed_in(live, other) as member:
            await manager.listen(MEMBERS_IN_STREAM, id=encode_id("Project", project.id))
            await member.listen(JOINED)
            await membership_service.add_member(uow, project_id=project.id, user_id=other.id, role=role)
            seen = {"key": "JOINED", "viewerRole": "MANAGER"}
            assert await manager.receive() == {"project": seen, "user": {"email": None}, "by": {"email": mia.email}}
            assert await member.receive() == {"project": seen | {"viewerRole": "VIEWER"}, "by": {"email": None}}
