"""The literal results of fields of projects; `test_nested_fields` checks that no field is left out."""

from contextlib import AsyncExitStack

import pytest

from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import membership_id
from tests.graphql_api.stream_client import signed_in
from tests.graphql_api.test_nested_fields import (
    KEYS,
    KEYS_IN_STREAM,
    MEMBERS,
    MOVE_IN_PROJECT,
    PROJECT,
    ask,
    people,
    user,
)
from tests.support.api import Api


class TestProject:
    @pytest.mark.parametrize(
        ("viewer", "role", "update", "archive", "delete", "members"),
        [
            ("viewer", "VIEWER", False, False, False, False),
            ("member", "MEMBER", False, False, False, False),
            ("manager", "MANAGER", True, True, True, True),
            ("moderator", None, False, False, False, False),
            ("admin", None, True, True, True, True),
        ],
    )
    @pytest.mark.parametrize("is_archived", [False, True])
    async def test_permissions(
        self, api: Api, viewer: str, role: str | None, update: bool, archive: bool, delete: bool, members: bool,
        is_archived: bool,
    ):  # fmt: skip
        """What a viewer may do, by the role in the project and the role of the user."""
        by = await api.a_user(Role.USER if role is not None else Role[viewer.upper()])
        joined = [(by, ProjectRole[role])] if role is not None else []
        project = encode_id("Project", (await api.build.a_project(*joined, is_archived=is_archived)).id)

        assert await ask(api, PROJECT, by, id=project) == {
            "id": project,
            "viewerRole": role,
            "viewerCanUpdate": update and not is_archived,
            "viewerCanArchive": archive,
            "viewerCanDelete": delete,
            "viewerCanManageMembers": members and not is_archived,
        }

    async def test_members_of_several_projects(self, api: Api):
        """Each project has its own, in the order in which they were added; each viewer sees their own address."""
        mia, other = await people(api)
        more = [(await api.a_user(), ProjectRole.VIEWER) for _ in range(2)]
        first = await api.build.a_project((other, ProjectRole.MANAGER), (mia, ProjectRole.MEMBER), *more, key="AA1")
        await api.build.a_project((mia, ProjectRole.MANAGER), key="AA2")
        page = await ask(api, MEMBERS, mia)

        assert (page["totalCount"], [node["key"] for node in page["nodes"]]) == (2, ["AA1", "AA2"])
        members = page["nodes"][0]["members"]
        assert members["nodes"] == [
            {
                "id": encode_id("Membership", membership_id(first.id, other.id)),
                "role": "MANAGER",
                "user": user(other, email=None),
            },
            {
                "id": encode_id("Membership", membership_id(first.id, mia.id)),
                "role": "MEMBER",
                "user": user(mia, email=mia.email),
            },
        ]
        assert (members["pageInfo"]["hasNextPage"], members["pageInfo"]["hasPreviousPage"]) == (True, False)
        [alone] = page["nodes"][1]["members"]["nodes"]
        assert (alone["role"], alone["user"]["id"]) == ("MANAGER", encode_id("User", mia.id))


class TestTask:
    async def test_keys_and_projects_of_a_list(self, api: Api):
        """A personal task has none. Projects are read with the tasks, as the viewer sees them, and so are members."""
        mia, other = await people(api)
        project = await api.build.a_project(
            (other, ProjectRole.MANAGER), (mia, ProjectRole.MEMBER), key="KEYS", name="K"
        )
        await api.build.a_task(mia, title="Personal")
        await api.build.a_task(other, title="First", project_id=project.id, number=1)
        await api.build.a_task(mia, title="Second", project_id=project.id, number=2)
        shown = {"id": encode_id("Project", project.id), "key": "KEYS", "name": "K"}
        mine, others = [
            shown
            | {"viewerRole": role, "viewerCanUpdate": may_update}
            | {"members": {"nodes": [{"role": "MANAGER", "user": user(other, email=email)}]}}
            for role, may_update, email in (("MEMBER", False, None), ("MANAGER", True, other.email))
        ]

        assert (await ask(api, KEYS, mia))["nodes"] == [
            {"title": "Personal", "number": None, "key": None, "project": None},
            {"title": "First", "number": 1, "key": "KEYS-1", "project": mine},
            {"title": "Second", "number": 2, "key": "KEYS-2", "project": mine},
        ]
        assert [node["project"] for node in (await ask(api, KEYS, other))["nodes"]] == [others, others]

    async def test_the_payload_of_a_mutation(self, api: Api):
        """The project is read after the change, as the user sees it; a personal task has none."""
        mia, other = await people(api)
        project = await api.build.a_project((mia, ProjectRole.MANAGER), key="MOVES")
        tasks = [await api.build.a_task(other, project_id=project.id, number=7), await api.build.a_task(mia)]
        for status in ("IN_PROGRESS", "DONE"):
            for task in tasks:
                sent = {"id": encode_id("Task", task.id), "status": status}
                found = (await api.ask(MOVE_IN_PROJECT, mia, input=sent)).data["updateTaskStatus"]["task"]
                of_project = task is tasks[0]
                owner = other if of_project else mia
                assert found == {
                    "key": "MOVES-7" if of_project else None,
                    "number": 7 if of_project else None,
                    "viewerCanDelete": True,
                    "project": {"key": "MOVES", "viewerRole": "MANAGER", "isArchived": False} if of_project else None,
                    "owner": {"username": owner.username},
                }

    async def test_each_subscriber_sees_their_own_role(self, live: Api):
        """Members of a project, and a moderator with and without a role in it, in one item each."""
        viewer, manager = await people(live)
        member, outsider = [await live.a_user(Role.MODERATOR) for _ in range(2)]
        roles = [(viewer, ProjectRole.VIEWER), (manager, ProjectRole.MANAGER), (member, ProjectRole.MEMBER)]
        project = await live.build.a_project(*roles, key="STREAM")
        task = await live.build.a_task(member, project_id=project.id, number=3)
        seen = {}
        async with AsyncExitStack() as stack:
            listeners = {
                name: await stack.enter_async_context(signed_in(live, by))
                for name, by in (("viewer", viewer), ("manager", manager), ("member", member), ("outsider", outsider))
            }
            for listener in listeners.values():
                await listener.listen(KEYS_IN_STREAM)
            await live.ask(MOVE_IN_PROJECT, manager, input={"id": encode_id("Task", task.id), "status": "DONE"})
            for name, listener in listeners.items():
                seen[name] = (await listener.receive())["task"]

        assert {found["key"] for found in seen.values()} == {"STREAM-3"}
        assert {name: (found["viewerCanUpdate"], found["project"]) for name, found in seen.items()} == {
            "viewer": (False, {"key": "STREAM", "viewerRole": "VIEWER", "viewerCanUpdate": False}),
            "manager": (True, {"key": "STREAM", "viewerRole": "MANAGER", "viewerCanUpdate": True}),
            "member": (True, {"key": "STREAM", "viewerRole": "MEMBER", "viewerCanUpdate": False}),
            "outsider": (False, {"key": "STREAM", "viewerRole": None, "viewerCanUpdate": False}),
        }
