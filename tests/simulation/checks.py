"""What must be true of every history."""

from collections.abc import Container
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from domain.actor import Actor
from domain.events import TaskEvent
from domain.project import ProjectRole
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.unknown_events import UnknownAccess
from domain.user import Role
from streaming.lease import LEASE_SECONDS
from tests.simulation.process import TIMING, Process, StreamRequest
from tests.simulation.projects_model import is_of_user
from tests.simulation.rows_model import Session, User, sees

if TYPE_CHECKING:
    from tests.simulation.client import Client, Wire
    from tests.simulation.world import World

ALLOWED = {"SEEN": {"SEEN", "GONE"}, "GONE": {"GONE"}, "DELETED": {"DELETED"}}
"""The visibilities that may be delivered: the task may be hidden by then."""


class Broken(AssertionError):
    """A guarantee was violated."""


def ought(user: User, stream_request: StreamRequest, event: TaskEvent, projects: Container[UUID]) -> str | None:
    """The expected visibility of an event to a member of *projects*, written independently of the product."""
    before = event.before if sees(user.role, user.id, event.before, projects) else None
    after = event.after if sees(user.role, user.id, event.after, projects) else None
    if before is None and after is None:
        return None
    wanted = stream_request.filter
    if wanted is not None:
        sides = [each for each in (before, after) if each is not None]
        if not any(
            wanted.owner_id in {None, each.owner_id}
            and wanted.assignee_id in {None, each.assignee_id}
            and wanted.project_id in {None, each.project_id}
            for each in sides
        ):
            return None
        if wanted.task_ids is not None and event.task_id not in wanted.task_ids:
            return None
    if after is None:
        return "DELETED" if event.after is None else "GONE"
    moved = event.from_status not in {None, event.to_status}
    if (stream_request.only_status and not moved) or not _stands(stream_request, event.to_status):
        return None
    return "SEEN"


def _stands(stream_request: StreamRequest, status: TaskStatus | None) -> bool:
    return stream_request.filter is None or stream_request.filter.to is None or status in stream_request.filter.to


def _epoch(cursor: StreamCursor) -> str:
    """The epoch alone, without the promotion that the cursor names."""
    return cursor.epoch.partition("@")[0]


class Checks:
    """Checks every frame when it is sent and when it is received, and everything at the end."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def sent(self, wire: "Wire", message: dict[str, Any]) -> None:
        """A frame leaves a process: its content was allowed less than a second ago."""
        try:
            self._sent(wire, message)
        except Broken as broken:  # not into the hands of the process
            self._world.loop.failures.append(str(broken))

    def _sent(self, wire: "Wire", message: dict[str, Any]) -> None:
        if not message.get("text", "").startswith('{"id"'):
            return
        frame = orjson.loads(message["text"])
        data = (frame.get("payload") or {}).get("data") if frame["type"] == "next" else None
        if data is None:
            return
        self.allowed(wire.session, data["role"], data["rights"])
        if data["kind"] == "SEEN" and data["version"] is None:
            self._deleted(wire, UUID(data["task"]), data["role"])
        elif data["kind"] == "SEEN":
            actor = Actor(wire.session.user.id, Role(data["role"]), None, 0)
            if not self._world.table.was_visible(UUID(data["task"]), actor, self._oldest(wire)):
                raise Broken(f"{wire.process.name} delivers to {actor.role} a task that was hidden for a second")
            if "project_role" in data:
                self._role_in_project(wire, UUID(data["task"]), data["project_role"])

    def _oldest(self, wire: "Wire") -> float:
        """The time since which what is sent now was right once."""
        # A frame waits until a slow reader has received the one before. In this time its user may lose the task; the
        # frame may still be sent.
        patience = TIMING.send if wire.is_slow else 0.0
        return self._world.loop.now - LEASE_SECONDS - patience

    def _role_in_project(self, wire: "Wire", task_id: UUID, role: str | None) -> None:
        """The viewer of a task has the role in its project that it had less than a second ago.

        The project may be an earlier one of the task: as long as the rights are the same, a process that is late may
        send what it has made.
        """
        table, user, oldest = self._world.table, wire.session.user, self._oldest(wire)
        stored = ProjectRole(role) if role is not None else None
        shown = {people.project_id for _, people in table.shown[task_id] if people is not None}
        if not any(each and table.projects.had_role(user.id, each, stored, oldest) for each in shown):
            raise Broken(f"{wire.process.name} takes {user.name} for {role} in a project, which was over for a second")

    def _deleted(self, wire: "Wire", task_id: UUID, role: str) -> None:
        """Events of a deleted task are delivered only to users who could see it until then."""
        table = self._world.table
        people = next((each for _, each in reversed(table.shown[task_id]) if each is not None), None)
        user_id = wire.session.user.id
        known = table.projects.since(user_id, self._oldest(wire))
        if not table.history and not any(sees(Role(role), user_id, people, roles) for _, roles in known):
            raise Broken(f"{wire.process.name} delivers to {role} a deleted task that was hidden before")

    def allowed(self, session: Session, role: str, version: int) -> None:
        """An authenticated identity was valid less than a second ago."""
        now = self._world.loop.now
        if session.ended is not None and now > session.ended + LEASE_SECONDS:
            raise Broken(f"{session.user.name} is believed {now - session.ended:.3f} s after their session ended")
        ended = session.user.ended.get(version)
        if ended is not None and now > ended + LEASE_SECONDS:
            raise Broken(f"{session.user.name} is believed {now - ended:.3f} s after their rights changed")
        if ended is None and session.user.role != role:
            raise Broken(f"{session.user.name} is believed to be {role}")

    def ended(self, message: dict[str, Any]) -> None:
        """A subscription ends only because of rights."""
        codes = [error["extensions"]["code"] for error in message.get("payload", ())]
        if codes != ["UNAUTHENTICATED"]:
            raise Broken(f"a subscription ended: {message}")

    def received(self, client: "Client", wire: "Wire", data: dict[str, Any]) -> None:
        """A frame arrives: on one socket each position comes once and in order, and a resync has its reason."""
        if data["kind"] == "RESYNC":
            self._resync(client, wire, data)
            wire.last = StreamCursor.decode(data["cursor"]).position
        elif data["position"] <= wire.last:
            raise Broken(f"{client.name} receives {data['position']} after {wire.last}")
        else:
            wire.last = data["position"]

    def moved(self, client: "Client", stood: StreamCursor, stands: StreamCursor) -> None:
        """A client goes on: its cache must not survive unknown changes of rights, and changes of memberships."""
        table = self._world.table
        if not _epoch(stood) == _epoch(stands) == table.epoch or table.is_undecided:
            return
        # A ping may lead back in front of a resync that the server does not know to have been seen.
        loaded = client.base.position if client.base is not None and _epoch(client.base) == _epoch(stands) else 0
        # While a resync is being sent, a ping may lead to the front of the next change, which leads to a resync, too.
        is_in_front = self._rights_changed(client, stands.position, stands.position + 1)
        if not is_in_front and self._rights_changed(client, max(stood.position, loaded), stands.position):
            raise Broken(f"{client.name} goes on from {stood} to {stands}, past a change of what it may see")

    def _rights_changed(self, client: "Client", behind: int, up_to: int) -> bool:
        """Whether the rights of a client's user changed between two positions, without another version of them."""
        user_id = client.user.id
        events = [logged.event for logged in self._world.table.log[behind:up_to]]
        return any(
            self._is_of_client(event, client) or (isinstance(event, UnknownAccess) and event.user_id in {None, user_id})
            for event in events
        )

    @staticmethod
    def _is_of_client(event: object, client: "Client") -> bool:
        """Whether an event changes a role of the client's user in a project that the client wants."""
        wanted = client.stream_request.filter
        return is_of_user(event, client.user.id, wanted.project_id if wanted is not None else None)

    def _resync(self, client: "Client", wire: "Wire", data: dict[str, Any]) -> None:
        stood = client.cursor
        if stood is None:
            table = self._world.table
            true = len(table.epochs) > 1 or bool(table.trims) or self._rights_changed(client, 0, len(table.log))
            # The reason may be an event that the promoted standby does not have.
            true = true or table.is_undecided
        else:
            true = self._is_true(client, wire, stood, data)
        if not true:
            raise Broken(f"{client.name} has to resync for no reason: {data['reason']} at {stood}")

    def _is_true(self, client: "Client", wire: "Wire", stood: StreamCursor, data: dict[str, Any]) -> bool:
        table = self._world.table
        match data["reason"]:
            case "EPOCH":
                is_unproved = stood.fingerprint is None and _epoch(stood) in table.continued
                return is_unproved or _epoch(StreamCursor.decode(data["cursor"])) != _epoch(stood)
            case "ACCESS":
                reached = StreamCursor.decode(data["cursor"]).position
                # The cursor of the answer, or that of a ping before it, may be the one in front of the change.
                has_changed = self._rights_changed(client, stood.position, max(reached, stood.position) + 1)
                was_restored = _epoch(stood) != table.epoch or table.is_undecided
                return has_changed or was_restored or bool(data["rights"] != stood.access_version)
            case "TRIMMED":
                return any(stood.position < up_to for _, up_to in table.trims)
            case _:
                return client.forged

    def final(self) -> None:
        """All work has ended: every event was delivered, and every cache is correct."""
        for client in self._world.clients:
            if client.user.active:
                self._nothing_missed(client)
                self._nothing_lost(client)
                self._cache(client)
        for process in self._world.processes:
            self._index(process)
            for known in process.access._cache.values():
                self._remembered(known.identity.actor)

    def _nothing_missed(self, client: "Client") -> None:
        """The client has loaded its lists after the last change of its memberships."""
        table = self._world.table
        for logged, at in zip(table.log, table.times, strict=True):
            if self._is_of_client(logged.event, client) and self._due(client, logged.position, at):
                raise Broken(f"{client.name} was not asked to resync at {logged.position}")

    def _index(self, process: Process) -> None:
        """Exactly the members of projects, who do not see everything anyway, are found by their projects."""
        index = process.stream._subscribers
        groups = ((project_id, group) for project_id, found in index._by_project.items() for group in found.values())
        found = {(project_id, each) for project_id, group in groups for each in group}
        members = [each for each in index if not each.view.sees_everything]
        if found != {(project_id, each) for each in members for project_id in each.actor.projects}:
            raise Broken(f"{process.name} does not find the subscribers of projects")

    def _nothing_lost(self, client: "Client") -> None:
        table = self._world.table
        projects = table.projects.roles(client.user.id)
        for logged, at in zip(table.log, table.times, strict=True):
            due = self._due(client, logged.position, at)
            delivered = client.received.get(logged.position) if due is not None else None
            if not isinstance(logged.event, TaskEvent) or due is None:
                continue
            wanted = ought(client.user, client.stream_request, logged.event, projects)
            if wanted is None and delivered is not None:
                raise Broken(f"{client.name} received {delivered} of {logged.position}, which is not visible to them")
            if wanted is not None and delivered is None and due:
                raise Broken(f"{client.name} never received {logged.position}, which was {wanted} to them")
            if wanted is not None and delivered is not None and delivered not in ALLOWED[wanted]:
                raise Broken(f"{client.name} received {delivered} of {logged.position}, which was {wanted} to them")
            if wanted == "SEEN" and delivered == "GONE" and not self._left(client, logged.event):
                raise Broken(f"{client.name} received that the task of {logged.position} was gone, and it was not")

    def _left(self, client: "Client", event: TaskEvent) -> bool:
        """Whether the task was hidden from a client at some time after an event."""
        user = client.user
        table = self._world.table
        shown = [people for _, people in table.shown[event.task_id] if people is not None]
        known = [roles for _, roles in table.projects.since(user.id, 0.0)]
        return any(not sees(user.role, user.id, people, roles) for people in shown for roles in known)

    @staticmethod
    def _due(client: "Client", position: int, at: float) -> bool | None:
        """Whether an event must have been delivered, or may have been; None if it is before the client's start."""
        if client.base is not None:
            return True if position > client.base.position else None
        return client.since is not None and at > client.since

    def _cache(self, client: "Client") -> None:
        if not client.temper.keeps:
            return
        right = client.sees(Actor(client.user.id, client.user.role, None, 0))
        if client.cache != right:
            names = self._world.names
            wrong = [names(each) for each in right.keys() ^ client.cache.keys()]
            old = [names(each) for each in right.keys() & client.cache.keys() if right[each] != client.cache[each]]
            raise Broken(f"the cache of {client.name} is not the database: {wrong} are there or not, {old} are old")

    def _remembered(self, actor: Actor) -> None:
        assert actor.session_id is not None
        session = self._world.table.sessions[actor.session_id]
        if session.ended is not None or session.user.version != actor.access_version:
            raise Broken(f"a process still remembers {session.user.name} as they were")
        roles = {project_id: actor.projects.of(project_id) for project_id in actor.projects}
        if roles != self._world.table.projects.roles(actor.user_id):
            raise Broken(f"a process takes {session.user.name} for {roles} in projects")
