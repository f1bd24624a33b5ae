"""An index of a history's log: by position, by task, by the ends of rights, and by the memberships of users."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from domain.events import AccessChange, AccessEvent, LoggedEvent, MembershipEvent, People, TaskEvent
from verification.expected_visibility import ExpectedViewer
from verification.history import History, TaskFacts
from verification.memberships import NO_ROLES, RolesOverTime, roles_over_time

_NEW_RIGHTS = {AccessChange.ROLE_CHANGED, AccessChange.DISABLED, AccessChange.ENABLED}
"""Changes after which a user has another access version."""


class Index:
    """The lookups that the checks need."""

    def __init__(self, history: History) -> None:
        self.positions: dict[int, LoggedEvent] = {logged.position: logged for logged in history.log}
        self.head = max(self.positions, default=0)
        self._tasks: dict[UUID, list[tuple[int, TaskEvent]]] = defaultdict(list)
        self._versions: dict[tuple[UUID, int], TaskEvent] = {}
        self._rights: dict[UUID, list[int]] = defaultdict(list)
        self._expected: dict[ExpectedViewer, list[int]] = {}
        self._access: list[tuple[int, AccessEvent]] = []
        self._project_of: dict[UUID, UUID | None] = {}
        log = sorted(history.log, key=lambda each: each.position)
        for logged in log:
            self._add(logged)
        for event in history.unplaced:
            self._note_project(event)
        self._roles = roles_over_time(log, history.members)

    def _add(self, logged: LoggedEvent) -> None:
        event = logged.event
        if isinstance(event, TaskEvent):
            self._tasks[event.task_id].append((logged.position, event))
            self._versions[event.task_id, event.version] = event
            self._note_project(event)
        elif isinstance(event, AccessEvent):
            self._access.append((logged.position, event))
            if event.change in _NEW_RIGHTS:
                self._rights[event.user_id].append(logged.position)

    def _note_project(self, event: TaskEvent | MembershipEvent) -> None:
        side = event.after or event.before if isinstance(event, TaskEvent) else None
        if isinstance(event, TaskEvent) and side is not None:
            self._project_of[event.task_id] = side.project_id

    def roles(self, user_id: UUID) -> RolesOverTime:
        """The roles of a user in projects."""
        return self._roles.get(user_id, NO_ROLES)

    def users(self) -> set[UUID]:
        """The users who are or were members of projects."""
        return set(self._roles)

    def people_of(self, facts: TaskFacts) -> People:
        """The owner, the assignee and the project of a task: the project is that of the event of its version.

        Without this event it is that of the last known one.
        """
        event = self._versions.get((facts.task_id, facts.version))
        if event is not None and event.after is not None:
            return People(facts.owner_id, facts.assignee_id, event.after.project_id)
        return People(facts.owner_id, facts.assignee_id, self._project_of.get(facts.task_id))

    def tasks(self) -> dict[UUID, list[tuple[int, TaskEvent]]]:
        """The events of each task with their positions, in the order of the log."""
        return self._tasks

    def version(self, task_id: UUID, version: int) -> TaskEvent | None:
        """The event that created a version of a task."""
        return self._versions.get((task_id, version))

    def task_event(self, position: int) -> TaskEvent | None:
        """The task event at a position."""
        logged = self.positions.get(position)
        return logged.event if logged is not None and isinstance(logged.event, TaskEvent) else None

    def expected(self, viewer: ExpectedViewer, after: int, up_to: int) -> Sequence[int]:
        """The positions after *after* and up to *up_to* that a viewer must receive."""
        if viewer not in self._expected:
            found = (logged for logged in self.positions.values() if isinstance(logged.event, TaskEvent))
            self._expected[viewer] = sorted(
                each.position
                for each in found
                if isinstance(each.event, TaskEvent) and viewer.expects(each.event, each.position)
            )
        positions = self._expected[viewer]
        return positions[bisect_right(positions, after) : bisect_right(positions, up_to)]

    def hidden_later(self, viewer: ExpectedViewer, event: TaskEvent, position: int, last: int) -> bool:
        """Whether the task of an event was invisible to a viewer at some time after a position.

        Changes of the viewer's roles count up to *last*.
        """
        later = [(where, each) for where, each in self._tasks[event.task_id] if where > position]
        if any(each.after is not None and not viewer.sees(each.after, where) for where, each in later):
            return True
        return any(not viewer.sees(event.after, where) for where in viewer.projects.changes(position, last))

    def deleted_later(self, viewer: ExpectedViewer, task_id: UUID, position: int, last: int) -> bool:
        """Whether a task that a viewer could see was deleted after a position.

        An item can show the deletion before the changes of the viewer's roles in front of it are dispatched, so the
        roles count from *position* on, up to *last*.
        """
        later = [event for where, event in self._tasks[task_id] if where > position]
        return any(event.deleted and viewer.sees_within(event.before, position, last) for event in later)

    def rights_end(self, user_id: UUID, first_version: int, version: int) -> int | None:
        """The position where the rights of an access version ended; None if they are still valid."""
        ends = self._rights[user_id]
        number = version - first_version
        return ends[number] if 0 <= number < len(ends) else None

    def session_end(self, user_id: UUID, session_id: UUID | None) -> int | None:
        """The position where a session ended: by its sign-out, or by the sign-out of all other sessions."""
        for position, event in self._access:
            if event.user_id == user_id and _ends(event, session_id):
                return position
        return None


def _ends(event: AccessEvent, session_id: UUID | None) -> bool:
    if session_id is None or event.change in {AccessChange.ROLE_CHANGED, AccessChange.ENABLED}:
        return False
    if event.session_id is not None or event.token_id is not None:
        return event.session_id == session_id
    return event.spared_session_id != session_id
