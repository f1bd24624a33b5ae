"""Projects and their members over GraphQL."""

from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import ProjectRow, UserRow, membership_id
from tests.support.api import Api

MANAGER, MEMBER, VIEWER = ProjectRole.MANAGER, ProjectRole.MEMBER, ProjectRole.VIEWER
CAN = "viewerRole viewerCanUpdate viewerCanArchive viewerCanDelete viewerCanManageMembers"
PROJECT = f"id key name description isArchived version {CAN}"
MEMBERS = "query ($id: ID!) { project(id: $id) { members { nodes { id } } } }"
MUTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "updateProject": ("UpdateProjectInput", {"name": "Changed"}),
    "archiveProject": ("ArchiveProjectInput", {}),
    "deleteProject": ("DeleteProjectInput", {}),
    "addMember": ("AddMemberInput", {}),
    "setMemberRole": ("SetMemberRoleInput", {"role": "MEMBER"}),
    "removeMember": ("RemoveMemberInput", {}),
    "leaveProject": ("LeaveProjectInput", {}),
}


def project_id(project: ProjectRow) -> str:
    """The id as clients know it."""
    return encode_id("Project", project.id)


def user_id(user: UserRow) -> str:
    """The id as clients know it."""
    return encode_id("User", user.id)


async def change(api: Api, mutation: str, by: UserRow, fields: str = "", /, **values: Any) -> dict[str, Any]:
    """The payload of a mutation."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code path }} }} }}"
    payload: dict[str, Any] = (await api.ask(query, by, input=values)).data[mutation]
    return payload


def refused(code: str, *path: str) -> dict[str, Any]:
    """A refusal."""
    return {"code": code, "path": list(path)}


class TestChanges:
    async def test_a_project_from_its_creation_to_its_end(self, api: Api):
        """Each payload has the project as the viewer sees it."""
        mia, other = await api.a_user(), await api.a_user()
        key = f"K{uuid4().hex[:8]}".upper()
        made = (await change(api, "createProject", mia, f"project {{ {PROJECT} }}", key=key, name="Site"))["project"]
        rights: dict[str, Any] = {"viewerCanUpdate": True, "viewerCanArchive": True, "viewerCanDelete": True}
        rights |= {"viewerCanManageMembers": True, "viewerRole": "MANAGER"}
        facts = {"id": made["id"], "key": key, "name": "Site", "description": "", "isArchived": False, "version": 1}
        assert made == facts | rights

        member = "membership { role user { id } }"
        added = await change(api, "addMember", mia, member, projectId=made["id"], userId=user_id(other))
        assert added == {"membership": {"role": "MEMBER", "user": {"id": user_id(other)}}, "userErrors": []}
        role = await change(
            api, "setMemberRole", mia, member, projectId=made["id"], userId=user_id(other), role="VIEWER"
        )
        assert role["membership"]["role"] == "VIEWER"
        updated = await change(
            api, "updateProject", mia, f"project {{ {PROJECT} }}", id=made["id"], description="All", expectedVersion=1
        )
        assert updated["project"] == made | {"description": "All", "version": 2}
        archived = await change(api, "archiveProject", mia, f"project {{ isArchived {CAN} }}", id=made["id"])
        assert archived["project"] == {"isArchived": True} | rights | {
            "viewerCanUpdate": False, "viewerCanManageMembers": False
        }  # fmt: skip
        removed = (await api.ask(MEMBERS, other, id=made["id"])).data["project"]["members"]["nodes"][1]["id"]
        left = await change(api, "leaveProject", other, "deletedMembershipId", projectId=made["id"])
        assert left == {"deletedMembershipId": removed, "userErrors": []}
        deleted = await change(api, "deleteProject", mia, "deletedProjectId", id=made["id"])
        assert deleted == {"deletedProjectId": made["id"], "userErrors": []}

    async def test_null_clears_only_the_description(self, api: Api):
        """Other fields cannot be empty."""
        mia = await api.a_user()
        project = await api.build.a_project((mia, MANAGER), description="x")
        cleared = await change(
            api, "updateProject", mia, "project { description }", id=project_id(project), description=None
        )
        assert cleared["project"] == {"description": ""}
        for field in ("key", "name"):
            values: dict[str, Any] = {"id": project_id(project), field: None}
            payload = await change(api, "updateProject", mia, **values)
            assert payload["userErrors"] == [refused("INVALID", field)]

    async def test_refusals_are_data(self, api: Api):
        """Each with its code and the field."""
        mia, viewer, other = [await api.a_user() for _ in range(3)]
        project = await api.build.a_project((mia, MANAGER), (viewer, VIEWER))
        pid = project_id(project)
        expected: list[tuple[UserRow, str, dict[str, Any], dict[str, Any]]] = [
            (mia, "createProject", {"key": project.key, "name": "x"}, refused("ALREADY_EXISTS", "key")),
            (mia, "createProject", {"key": "1", "name": "x"}, refused("INVALID", "key")),
            (
                mia,
                "updateProject",
                {"id": pid, "expectedVersion": 9},
                refused("CONFLICT", "expectedVersion"),
            ),
            (viewer, "updateProject", {"id": pid, "name": "x"}, refused("FORBIDDEN", "id")),
            (other, "updateProject", {"id": pid, "name": "x"}, refused("NOT_FOUND", "id")),
            (other, "deleteProject", {"id": pid}, refused("NOT_FOUND", "id")),
            (mia, "addMember", {"projectId": pid, "userId": user_id(viewer)}, refused("ALREADY_EXISTS", "userId")),
            (
                mia,
                "addMember",
                {"projectId": pid, "userId": encode_id("User", uuid4())},
                refused("INVALID", "userId"),
            ),
            (viewer, "addMember", {"projectId": pid, "userId": user_id(other)}, refused("FORBIDDEN", "projectId")),
            (mia, "removeMember", {"projectId": pid, "userId": user_id(other)}, refused("NOT_FOUND", "userId")),
            (mia, "removeMember", {"projectId": pid, "userId": user_id(mia)}, refused("LAST_MANAGER", "userId")),
            (mia, "leaveProject", {"projectId": pid}, refused("LAST_MANAGER", "projectId")),
            (other, "leaveProject", {"projectId": pid}, refused("NOT_FOUND", "projectId")),
        ]
        for by, name, values, refusal in expected:
            assert (await change(api, name, by, **values))["userErrors"] == [refusal], name

    @pytest.mark.parametrize("name", MUTATIONS)
    async def test_an_id_of_another_type_is_malformed(self, api: Api, name: str):
        """BAD_REQUEST; nothing is looked for."""
        mia = await api.a_user()
        kind, values = MUTATIONS[name]
        wrong = encode_id("Task", uuid4())
        given: dict[str, Any] = {"id": wrong} if "Project" in kind and name != "leaveProject" else {"projectId": wrong}
        if name in ("addMember", "setMemberRole", "removeMember"):
            given["userId"] = user_id(mia)
        query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}"
        assert (await api.ask(query, mia, input=given | values)).codes == ["BAD_REQUEST"]

    async def test_nobody_without_sign_in(self, api: Api):
        """Neither reads nor writes."""
        assert (await api.ask("{ projects { nodes { id } } }")).codes == ["UNAUTHENTICATED"]
        query = 'mutation { createProject(input: {key: "AB", name: "x"}) { userErrors { code } } }'
        assert (await api.ask(query)).codes == ["UNAUTHENTICATED"]


class TestReads:
    async def test_by_id_or_key(self, api: Api):
        """Exactly one of both; what is not visible is null."""
        mia, other = await api.a_user(), await api.a_user()
        project = await api.build.a_project((mia, MEMBER))
        query = "query ($id: ID, $key: String) { project(id: $id, key: $key) { key viewerRole } }"
        found = {"project": {"key": project.key, "viewerRole": "MEMBER"}}
        assert (await api.ask(query, mia, id=project_id(project))).data == found
        assert (await api.ask(query, mia, key=project.key.lower())).data == found
        hidden: list[dict[str, Any]] = [{"id": project_id(project)}, {"key": project.key}]
        for variables in [*hidden, {"key": "x" * 1_000}]:
            assert (await api.ask(query, other, **variables)).data == {"project": None}
        bad: list[dict[str, Any]] = [{}, {"id": project_id(project), "key": project.key}, {"id": ""}, {"id": "x"}]
        for variables in bad:
            assert (await api.ask(query, mia, **variables)).codes == ["BAD_REQUEST"]

    async def test_pages_by_key(self, api: Api):
        """Forward and backward, with the total, without projects of others."""
        mia = await api.a_user()
        mark = uuid4().hex[:6].upper()
        keys = [f"Z{mark}{letter}" for letter in "ABCDE"]
        for key in reversed(keys):
            await api.build.a_project((mia, VIEWER), key=key, is_archived=key.endswith("C"))
            await api.build.a_project((await api.a_user(), MANAGER), key=f"{key}X")
        query = """query ($first: Int, $after: String, $last: Int, $before: String, $archived: Boolean) {
          projects(first: $first, after: $after, last: $last, before: $before, isArchived: $archived) {
            totalCount nodes { key } edges { cursor node { key } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

        async def page(**variables: Any) -> dict[str, Any]:
            found: dict[str, Any] = (await api.ask(query, mia, **variables)).data["projects"]
            assert found["nodes"] == [edge["node"] for edge in found["edges"]]
            return found | {"keys": [node["key"] for node in found["nodes"]]}

        first = await page(first=2)
        second = await page(first=2, after=first["pageInfo"]["endCursor"])
        back = await page(last=1, before=second["pageInfo"]["startCursor"])
        assert (first["keys"], second["keys"], back["keys"]) == (keys[:2], keys[2:4], keys[1:2])
        assert (first["totalCount"], second["totalCount"]) == (5, 5)
        ends = [
            (each["pageInfo"]["hasPreviousPage"], each["pageInfo"]["hasNextPage"]) for each in (first, second, back)
        ]
        assert ends == [(False, True), (True, True), (True, True)]
        active, archived = await page(archived=False), await page(archived=True)
        assert (active["keys"], active["totalCount"]) == ([*keys[:2], *keys[3:]], 4)
        assert (archived["keys"], archived["totalCount"]) == (keys[2:3], 1)
        assert (await page(first=1, archived=False, after=first["pageInfo"]["endCursor"]))["keys"] == keys[3:4]
        nothing = await page(first=3, after=(await page(last=1))["pageInfo"]["endCursor"])
        assert (nothing["keys"], nothing["totalCount"]) == ([], 5)

    @pytest.mark.parametrize("cursor", ["nonsense", "", "WyJwcm9qZWN0cy5rZXkiLCAiXHUwMDAwIiwgIiJd"])
    async def test_bad_cursors(self, api: Api, cursor: str):
        """BAD_REQUEST."""
        query = "query ($after: String) { projects(after: $after) { nodes { id } } }"
        assert (await api.ask(query, await api.a_user(), after=cursor)).codes == ["BAD_REQUEST"]

    async def test_members_in_pages(self, api: Api):
        """In the order in which they were added, of several projects with one statement."""
        users = [await api.a_user() for _ in range(5)]
        one = await api.build.a_project(*[(user, MEMBER) for user in users])
        two = await api.build.a_project((users[2], MANAGER), (users[0], VIEWER))
        query = """query ($ids: [ID!]!, $after: String) { nodes(ids: $ids) { ... on Project {
          members(first: 2, after: $after) { nodes { role user { id } } edges { cursor }
            pageInfo { hasNextPage endCursor } } } } }"""
        first = (await api.ask(query, users[2], ids=[project_id(one), project_id(two)])).data["nodes"]
        assert [[node["user"]["id"] for node in each["members"]["nodes"]] for each in first] == [
            [user_id(users[0]), user_id(users[1])],
            [user_id(users[2]), user_id(users[0])],
        ]
        assert [each["members"]["pageInfo"]["hasNextPage"] for each in first] == [True, False]
        after = first[0]["members"]["pageInfo"]["endCursor"]
        [second] = (await api.ask(query, users[2], ids=[project_id(one)], after=after)).data["nodes"]
        assert [node["user"]["id"] for node in second["members"]["nodes"]] == [user_id(users[2]), user_id(users[3])]

    @pytest.mark.parametrize(("role", "member"), list(product(Role, [None, *ProjectRole])))
    async def test_nodes_follow_the_policy(self, api: Api, role: Role, member: ProjectRole | None):
        """A project and a membership by their ids: for members, moderators and admins."""
        asker, other = await api.a_user(role), await api.a_user()
        project = await api.build.a_project((other, MANAGER), *([(asker, member)] if member else []))
        ids = [project_id(project), encode_id("Membership", membership_id(project.id, other.id))]
        fields = "id ... on Project { viewerRole } ... on Membership { role }"
        query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {fields} }} }}"
        found = (await api.ask(query, asker, ids=ids)).data["nodes"]
        if member is None and role is Role.USER:
            assert found == [None, None]
        else:
            shown = member.value if member is not None else None
            assert found == [{"id": ids[0], "viewerRole": shown}, {"id": ids[1], "role": "MANAGER"}]
        single = (await api.ask("query ($id: ID!) { node(id: $id) { id } }", asker, id=ids[1])).data["node"]
        assert (single is None) is (found[1] is None)
