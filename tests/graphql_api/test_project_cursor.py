"""`Project.streamCursor`: where `projectChanged` continues after a project was read."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from domain.stream_cursor import StreamCursor
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from services import label as label_service
from services import project as project_service
from services import task_creation
from tests.graphql_api.project_team import Team, project_id
from tests.graphql_api.stream_client import signed_in
from tests.graphql_api.test_nested_fields import STREAM_CURSORS
from tests.graphql_api.test_project_stream import EVERYTHING
from tests.graphql_api.test_projects import change
from tests.graphql_api.test_tasks import task_id
from tests.support.api import Api

LOAD = """query ($id: ID!) { project(id: $id) { streamCursor name labels { nodes { name } } } }"""
CURSOR = "project { id name version streamCursor }"
IN_ITEMS = """subscription ($id: ID!) { projectChanged(projectId: $id) {
  ... on ProjectChanged { project { name streamCursor } } } }"""


def cursors_in(data: Any) -> Iterator[StreamCursor]:
    """All stream cursors in a response."""
    if isinstance(data, list):
        for each in data:
            yield from cursors_in(each)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name == "streamCursor":
                yield StreamCursor.decode(value)
            else:
                yield from cursors_in(value)


async def head_cursor(api: Api, user: UserRow) -> StreamCursor:
    """The cursor of a user at the end of the log."""
    await api.numbered()
    async with api.build.as_(None) as uow:
        head = await uow.events.head()
    return StreamCursor(head.epoch, head.position, user.access_version, head.fingerprint)


class TestWhereItIs:
    async def test_everywhere(self, api: Api):
        """It is the end of the log, with the version of the reader's rights, wherever the project is selected."""
        team = await Team.made(api)
        manager, project = team.people["manager"], team.project
        await task_creation.create_task(api.build.as_(manager), title="x", parent_id=team.task.id)
        sent: dict[str, Any] = {"id": project_id(project), "key": project.key, "task": task_id(team.task)}
        for _ in range(2):
            await project_service.update_project(
                api.build.as_(manager), project_id=project.id, description=str(uuid4())
            )
            expected = await head_cursor(api, manager)
            data = (await api.ask(STREAM_CURSORS, manager, **sent)).data
            assert list(cursors_in(data)) == [expected] * 8

    async def test_of_a_user_whose_rights_changed(self, api: Api):
        """The cursor has the version of the reader's rights."""
        team = await Team.made(api)
        for name in ("viewer", "admin"):
            user = await api.a_user(Role.ADMIN, access_version=7) if name == "admin" else team.people[name]
            data = (await api.ask(LOAD, user, id=project_id(team.project))).data
            assert [each.access_version for each in cursors_in(data)] == [user.access_version]

    async def test_not_in_the_list_of_those_who_see_nothing(self, api: Api):
        """A project that is not visible has no cursor."""
        team = await Team.made(api)
        data = (await api.ask(LOAD, team.people["outsider"], id=project_id(team.project))).data
        assert data == {"project": None}

    async def test_before_the_upgrade_is_ended(self, api: Api):
        """Cursors without fingerprints, as those of lists."""
        team = await Team.made(api)
        async with api.build.as_(None) as uow:
            await uow.events.use_fingerprints(enabled=False)
            data = (await api.ask(LOAD, team.people["viewer"], id=project_id(team.project))).data
            await uow.events.use_fingerprints(enabled=True)
        assert [each.fingerprint for each in cursors_in(data)] == [None]


class TestContinuing:
    async def test_nothing_is_missed(self, live: Api):
        """What changes after the project was loaded is received, and nothing that was loaded."""
        team = await Team.made(live)
        manager, build = team.people["manager"], live.build
        await project_service.update_project(build.as_(manager), project_id=team.project.id, name="Before")
        await live.numbered()
        loaded = (await live.ask(LOAD, team.people["viewer"], id=project_id(team.project))).data["project"]
        assert (loaded["name"], loaded["labels"]["nodes"]) == ("Before", [])
        await label_service.create_label(build.as_(manager), project_id=team.project.id, name="Bug", color="#1a7f37")
        await project_service.update_project(build.as_(manager), project_id=team.project.id, name="After")
        async with signed_in(live, team.people["viewer"]) as viewer:
            await viewer.listen(EVERYTHING, id=project_id(team.project), after=loaded["streamCursor"])
            items = [await viewer.receive() for _ in range(2)]
        assert [item["projectChange"] for item in items] == ["LABEL_CREATED", "UPDATED"]
        assert items[1]["project"]["name"] == "After"

    @pytest.mark.parametrize("mutation", ["createProject", "updateProject", "archiveProject"])
    async def test_after_a_mutation(self, live: Api, mutation: str):
        """The payload's cursor is not after the change: it may be received again, and later ones are not missed."""
        team = await Team.made(live)
        manager = team.people["manager"]
        values: dict[str, Any] = {"id": project_id(team.project)}
        if mutation == "createProject":
            values = {"key": f"K{uuid4().hex[:8]}", "name": "New"}
        elif mutation == "archiveProject":
            values["isArchived"] = False
        made = (await change(live, mutation, manager, CURSOR, **values))["project"]
        key = f"N{uuid4().hex[:8]}".upper()
        await change(live, "updateProject", manager, id=made["id"], key=key)
        async with signed_in(live, manager) as listener:
            await listener.listen(EVERYTHING, id=made["id"], after=made["streamCursor"])
            item = await listener.receive()
            while item.get("projectChange") != "UPDATED":
                assert item["__typename"] != "ResyncRequired"
                item = await listener.receive()
            assert item["project"]["key"] == key

    async def test_in_a_repeated_request(self, api: Api):
        """The project is read again, and so is the cursor."""
        manager = await api.a_user()
        query = f"mutation ($input: CreateProjectInput!) {{ createProject(input: $input) {{ {CURSOR} }} }}"
        sent = {"key": f"K{uuid4().hex[:8]}", "name": "New"}
        cursors: list[StreamCursor] = []
        for _ in range(2):
            await api.numbered()
            answer = await api.ask(query, manager, headers={"idempotency-key": f"k{sent['key']}"}, input=sent)
            cursors += cursors_in(answer.data)
        assert cursors[0].position < cursors[1].position
        assert cursors[1] == await head_cursor(api, manager)

    async def test_in_an_item_it_is_null(self, live: Api):
        """The project may be newer than the item, whose cursor is the position of the subscriber."""
        team = await Team.made(live)
        async with signed_in(live, team.people["member"]) as listener:
            await listener.listen(IN_ITEMS, id=encode_id("Project", team.project.id))
            await project_service.update_project(
                live.build.as_(team.people["manager"]), project_id=team.project.id, name="Changed"
            )
            item = await listener.receive()
        assert item["project"] == {"name": "Changed", "streamCursor": None}
