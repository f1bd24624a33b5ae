"""The literal results of fields of projects; `test_nested_fields` checks that no field is left out."""

import pytest

from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import membership_id
from tests.graphql_api.test_nested_fields import MEMBERS, PROJECT, ask, people, user
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
