"""The checker judges tasks that are restored, and tasks that move between projects."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.events import LoggedEvent, People, TaskEvent
from domain.project import ProjectRole
from domain.task import TaskStatus
from tests.support.project_histories import ProjectWorld
from verification.history import History
from verification.history_check import check_history
from verification.report import Fault


def faults(history: History) -> set[Fault]:
    """The faults that the checker finds."""
    return {finding.fault for finding in check_history(history).findings}


class Story(ProjectWorld):
    """A task of the project moves out and back, is deleted, and is restored. The names are positions."""

    def __init__(self) -> None:
        super().__init__()
        self.task = self.in_project()
        self.transfer(self.task, None)
        self.out = len(self.log)
        self.transfer(self.task, self.project)
        self.back = len(self.log)
        self.delete(self.task)
        self.restore()
        self.restored = len(self.log)

    def change(self, position: int, **values: Any) -> History:
        """The history with other values of one event."""
        logged = self.log[position - 1]
        assert isinstance(logged.event, TaskEvent)
        self.log[position - 1] = LoggedEvent(position, replace(logged.event, **values))
        return self.history()


def test_a_correct_history_has_no_faults():
    """Everyone receives what they may see."""
    story = Story()
    assert faults(story.history()) == set()
    assert story.log[-1].event.version == 5  # type: ignore[union-attr]


@pytest.mark.parametrize("values", [{"to_status": TaskStatus.DONE}, {"after": People(uuid4(), None)}])
def test_a_restored_task_is_as_it_was(values: dict[str, object]):
    """Its status, its people and its project."""
    story = Story()
    assert Fault.WRONG in faults(story.change(story.restored, **values))


def test_an_acknowledged_restoration_is_in_the_log():
    """As every acknowledged change."""
    story = Story()
    history = story.history()
    history.log.pop()  # type: ignore[attr-defined]
    assert Fault.LOST in faults(history)


@pytest.mark.parametrize("position", ["out", "back", "restored"])
def test_only_users_with_the_right_move_and_restore(position: str):
    """In the project from which the task comes, and in the one to which it goes."""
    story = Story()
    story.set_role(story.guest, ProjectRole.VIEWER)
    assert Fault.FORBIDDEN in faults(story.change(getattr(story, position), actor_id=story.guest))
