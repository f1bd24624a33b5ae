"""Filters of subscriptions that name a foreign object."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from graphql_api.schema.ids import encode_id
from tests.probes.operation import any_scene, project_task
from tests.probes.scene import Scene
from tests.probes.things import Task


@dataclass(frozen=True)
class Filter:
    """A filter. `admits` says whether a task of the actor matches, which shows where the stream is."""

    argument: str | None
    of: Callable[[Scene, Task], dict[str, Any] | None]
    admits: Callable[[Scene], bool]
    fits: Callable[[Scene], bool] = any_scene


def _is_assigned(scene: Scene) -> bool:
    return scene.task.assignee is not None


def _assignee(scene: Scene, own: Task) -> dict[str, Any]:
    assert scene.task.assignee is not None
    return {"assigneeId": encode_id("User", scene.task.assignee.id)}


FILTERS: Final = (
    Filter(None, lambda scene, own: None, lambda scene: True),
    Filter(
        "taskIds",
        lambda scene, own: {"taskIds": [encode_id("Task", task.id) for task in (scene.task, own)]},
        lambda scene: True,
    ),
    Filter(
        "ownerId",
        lambda scene, own: {"ownerId": encode_id("User", scene.task.owner.id)},
        lambda scene: scene.task.owner is scene.actor,
    ),
    Filter("assigneeId", _assignee, lambda scene: False, _is_assigned),
    Filter(
        "projectId",
        lambda scene, own: {"projectId": encode_id("Project", scene.project.id)},
        lambda scene: False,
        project_task,
    ),
)
