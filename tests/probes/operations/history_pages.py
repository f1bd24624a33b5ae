"""Pages of the history of a task that begin at a change of another task."""

from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents
from tests.probes.operation import Document, Operation
from tests.probes.oracle import ALLOWED, NOT_FOUND
from tests.probes.scene import Scene

# Newest first: what comes after the newest change and before the oldest one is the whole history.
_SIDES: Final = (("after", "first", "newest"), ("before", "last", "oldest"))


def _is_own_history(value: Any, scene: Scene) -> bool:
    """The changes of the task and of no other one: no two tasks of a world have the same version."""
    if value is None or value["id"] != encode_id("Task", scene.task.id):
        return False
    return {entry["version"] for entry in value["history"]["nodes"]} == {scene.task.version}


def _of_history(side: str, size: str, end: str) -> Operation:
    history = f"history({size}: 50, {side}: $cursor) {{ {documents.HISTORY} }}"
    text = documents.query("$id: ID!, $cursor: String", "task(id: $id)", f"id title {history}")

    def make(scene: Scene) -> Document:
        return Document(text, {"id": encode_id("Task", scene.task.id), "cursor": scene.world.cursors[f"{end} change"]})

    return Operation(
        name=f"history {side} a change of another task",
        probes=frozenset({f"Task.history.{side}"}),
        make=make,
        expected=lambda scene: ALLOWED if scene.may(Action.READ_TASK) else NOT_FOUND,
        control=lambda scene: scene.with_owner_or_manager(Action.READ_TASK),
        secret=lambda scene: scene.task.word,
        shows=_is_own_history,
        ids=(("id",),),
    )


OPERATIONS: Final = tuple(_of_history(*side) for side in _SIDES)
