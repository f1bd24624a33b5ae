"""Cursors that another user got from the API: of the history of a task, of members, of the trash, and of the stream."""

from typing import Any

from graphql_api.schema.ids import encode_id
from tests.probes.things import Person, Project, Task
from tests.probes.world import World
from tests.support.api import Api

_HISTORY = "query ($id: ID!) { task(id: $id) { history { pageInfo { endCursor } } } }"
_TRASH = "query ($id: ID!) { trash(projectId: $id) { pageInfo { endCursor } } }"
_MEMBERS = "query ($id: ID!) { project(id: $id) { members { pageInfo { startCursor endCursor } } } }"


async def add_cursors(world: World) -> None:
    """Read the cursors as their owner does."""
    tasks = {task.project: task for task in world.tasks.values() if task.owner is world.outsider and not task.parent}
    await world.api.numbered()
    world.cursors["oldest change"] = await _change(world, tasks[world.earlier])
    world.cursors["newest change"] = await _change(world, tasks[world.elsewhere])
    world.cursors["first member"] = await _member(world, world.earlier, "startCursor")
    world.cursors["last member"] = await _member(world, world.elsewhere, "endCursor")
    world.cursors["oldest deletion"] = await _deletion(world, world.earlier)
    world.cursors["newest deletion"] = await _deletion(world, world.elsewhere)


async def stream_cursor(api: Api, person: Person) -> str:
    """The position of the stream, as a person gets it from a list."""
    answer = await api.ask("{ tasks(first: 1) { streamCursor } }", person.token)
    return str(answer.data["tasks"]["streamCursor"])


async def _change(world: World, task: Task) -> str:
    found: Any = (await world.api.ask(_HISTORY, world.outsider.token, id=encode_id("Task", task.id))).data["task"]
    return str(found["history"]["pageInfo"]["endCursor"])


async def _deletion(world: World, project: Project) -> str:
    found: Any = await world.api.ask(_TRASH, world.manager.token, id=encode_id("Project", project.id))
    return str(found.data["trash"]["pageInfo"]["endCursor"])


async def _member(world: World, project: Project, end: str) -> str:
    wanted = encode_id("Project", project.id)
    found: Any = (await world.api.ask(_MEMBERS, world.outsider.token, id=wanted)).data["project"]
    return str(found["members"]["pageInfo"][end])
