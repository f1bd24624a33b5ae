"""Writers, listeners and injected faults, and the check of the recorded history."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from domain.events import LoggedEvent
from domain.task import FOLLOWERS
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.chaos.expectations import last_expected, roles_of
from tests.chaos.membership_changes import MembershipChanges
from tests.chaos.outcome import Outcome
from tests.chaos.stack import Deployment
from tests.support.waiting import HANG_SECONDS
from verification.client.account import Account
from verification.client.failures import Failed
from verification.client.follower import CHANGES, MOVES, Follower, Recorder
from verification.client.projects import KnownProject
from verification.client.writer import Known, TaskWriter
from verification.history import History, Listener
from verification.history_check import check_history

DeploymentT = TypeVar("DeploymentT", bound=Deployment)
Fault = Callable[[DeploymentT, int], Awaitable[None]]
"""A fault and its round, which selects the target."""

TASKS = 24
"""So many live at a time, for all writers together: they are to meet."""
PAUSE_SECONDS = (0.04, 0.12)
"""Between two changes of a writer: what is tested is faults, not how much two cores can bear."""
SET_ROLE = """mutation ($input: SetUserRoleInput!) { it: setUserRole(input: $input) {
  userErrors { code } user { role } } }"""

PEOPLE = {
    "alice": Role.USER,
    "bob": Role.USER,
    "carol": Role.USER,  # becomes a moderator and a user again, and so on
    "dave": Role.USER,  # signs out every now and then
    "erin": Role.USER,
    "frank": Role.USER,  # has nothing to do with any of it, and is not a member of a project
    "mona": Role.MODERATOR,
    "anna": Role.ADMIN,
    "boss": Role.ADMIN,  # changes roles and memberships
}
WRITERS = ("alice", "bob", "mona", "anna")
LISTENERS = ("alice", "bob", "carol", "dave", "erin", "frank", "mona", "anna")
MOVES_ONLY = ("erin", "mona")
WORKERS = ("carol", "dave", "erin", "alice")
"""The possible assignees."""


@dataclass
class FollowerTask:
    """A listener that follows the stream in its own task."""

    name: str
    account: Account
    follower: Follower
    recorder: Recorder
    task: asyncio.Task[None] | None = None


class FaultRun(Generic[DeploymentT]):
    """A run on a stack. *projects*: some of the tasks are in projects, whose members change all the time.

    *listeners* are the names of users, a name twice for two clients of one user. *pause* is the shortest and the
    longest time between two changes of a writer.
    """

    def __init__(
        self,
        stack: DeploymentT,
        *,
        prefix: str = "",
        seed: int = 7,
        projects: bool = False,
        listeners: Sequence[str] = LISTENERS,
        pause: tuple[float, float] = PAUSE_SECONDS,
    ) -> None:
        self.stack = stack
        self._listeners = listeners
        self._pause = pause
        self._prefix = prefix
        self.random = random.Random(seed)
        self.users: dict[str, UserRow] = {}
        self.followers: list[FollowerTask] = []
        self.writers: list[TaskWriter] = []
        self.known: dict[UUID, Known] = {}
        self.settled: dict[str, list[float]] = {}
        self._with_projects = projects
        self.memberships: MembershipChanges | None = None
        self._project_of: dict[UUID, UUID] = {}
        self.deleted: list[Known] = []
        """Tasks whose deletion was acknowledged, the last one at the end."""
        self._log: list[LoggedEvent] = []
        self._writing = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FaultRun[DeploymentT]"]:
        """Users listen and write as long as the block runs."""
        for name, role in PEOPLE.items():
            self.users[name] = await self.stack.a_user(self._prefix + name, role)
        if self._with_projects:
            boss = f"{self._prefix}boss"
            self.memberships = MembershipChanges(self.stack, boss, self.users, random.Random(self.random.random()))
            await self.memberships.start()
        self.followers = [self._start_follower(name) for name in self._listeners]
        for follower in self.followers:
            follower.task = asyncio.create_task(follower.follower.run())
        await self._until(lambda: all(follower.recorder.position >= 0 for follower in self.followers), HANG_SECONDS)
        self._writing.set()
        tasks = [asyncio.create_task(self._write(name)) for name in WRITERS]
        if self.memberships is not None:
            tasks.append(asyncio.create_task(self.memberships.run(self._writing.is_set)))
        try:
            yield self
        except BaseException:
            await self.silence()
            raise
        finally:
            self._writing.clear()
            await asyncio.gather(*tasks)

    async def silence(self) -> None:
        """Stop all listeners."""
        for follower in self.followers:
            assert follower.task is not None
            follower.task.cancel()
        await asyncio.gather(*(follower.task for follower in self.followers if follower.task), return_exceptions=True)

    async def run(
        self, cycles: int, chosen: Sequence[Fault[DeploymentT]], say: Callable[[str], None] = lambda text: None
    ) -> Outcome:
        """Inject this number of faults, one after another; each must be recovered from."""
        begun = time.monotonic()
        async with self.running():
            for turn in range(cycles):
                fault = chosen[turn % len(chosen)]
                await self._cycle(fault, turn)
                say(f"{turn + 1} {fault.__name__}: settled after {self.settled[fault.__name__][-1]:.2f} s")
        await self.settle("the end")
        return await self.outcome(cycles, time.monotonic() - begun)

    async def acknowledged(self, more: int) -> None:
        """Wait until this number of further changes is acknowledged."""
        wanted = self._acknowledged() + more
        await self._until(lambda: self._acknowledged() >= wanted, HANG_SECONDS)

    def _acknowledged(self) -> int:
        return sum(len(writer.writes) for writer in self.writers)

    async def settle(self, name: str) -> float:
        """Wait until all listeners have everything up to the current end of the log; returns the seconds."""
        begun = time.monotonic()
        head = await self.stack.head()
        wanted = await self._wanted(head)
        await self._until(
            lambda: all(follower.recorder.position >= wanted[follower.name] for follower in self.followers),
            HANG_SECONDS,
            lambda: self._late(wanted),
        )
        taken = time.monotonic() - begun
        self.settled.setdefault(name, []).append(taken)
        return taken

    async def outcome(self, cycles: int, seconds: float) -> Outcome:
        """Check what was received."""
        for follower in self.followers:
            await follower.follower.reread()
        await self.silence()
        history = await self._history()
        return Outcome(
            report=check_history(history),
            cycles=cycles,
            seconds=seconds,
            settled=self.settled,
            reconnects=sum(len(follower.recorder.listener.connections) - 1 for follower in self.followers),
            failures=sum((writer.failures for writer in self.writers), Counter()),
            logged_errors=self.stack.logged_errors(),
            history=history,
        )

    async def _cycle(self, fault: Fault[DeploymentT], turn: int) -> None:
        side = asyncio.create_task(self.change_rights(turn))
        await fault(self.stack, turn)
        await side
        await self.settle(fault.__name__)

    async def change_rights(self, turn: int) -> None:
        """Change rights while faults happen."""
        if turn % 2 == 0:
            await asyncio.sleep(0.2)
            await self._set_role("carol", Role.MODERATOR if turn % 4 == 0 else Role.USER)
        if turn % 3 == 0:
            dave = next(follower for follower in self.followers if follower.name == "dave")
            try:
                await dave.account.sign_out()
            except Failed:
                dave.account.forget()

    async def _set_role(self, name: str, role: Role) -> None:
        """Repeat it until it is acknowledged: setting the same role twice changes nothing."""
        boss = self.stack.account(f"{self._prefix}boss")
        wanted = {"userId": encode_id("User", self.users[name].id), "role": role.value}
        while True:
            try:
                await boss.ask(SET_ROLE, {"input": wanted})
            except Failed:
                await asyncio.sleep(0.1)
            else:
                return

    def _start_follower(self, name: str) -> FollowerTask:
        listener = Listener(name, self.users[name].id, only_status=name in MOVES_ONLY)
        recorder = Recorder(listener, time.monotonic)
        account = self.stack.account(self._prefix + name)
        follower = Follower(
            account,
            self.stack.place,
            recorder,
            field=MOVES if listener.only_status else CHANGES,
            longest_pause=0.4,
            silence=30,
        )
        return FollowerTask(name, account, follower, recorder)

    async def _write(self, name: str) -> None:
        # Connections of writers through the proxies are cut, too.
        writer = TaskWriter(self.stack.account(self._prefix + name, proxied=name in ("alice", "anna")), name)
        self.writers.append(writer)
        while self._writing.is_set():
            await self._write_once(writer, name)
            await asyncio.sleep(self.random.uniform(*self._pause))

    async def _write_once(self, writer: TaskWriter, name: str) -> None:
        task = self._a_task_for(name)
        if task is None or (len(self.known) < TASKS and self.random.random() < 0.5):
            await self._create(writer, name)
            return
        changes: dict[Callable[[TaskWriter, Known], Awaitable[None]], int] = {
            self._move: 4,
            self._assign: 4,
            self._edit: 2,
        }
        if self.memberships is not None:
            changes |= {self._transfer: 1, self._restore: 1}
        if len(self.known) > TASKS // 2:
            changes[self._delete] = 1
        [change_task] = self.random.choices(list(changes), weights=list(changes.values()))
        await change_task(writer, task)

    async def _create(self, writer: TaskWriter, name: str) -> None:
        """A personal task, or one of a project of which the writer is a member; admins need not be one."""
        found = self.memberships.open_to(name, PEOPLE[name]) if self.memberships is not None else ()
        project = self.random.choice(found) if found and self.random.random() < 0.6 else None
        if project is None:
            self._keep(await writer.create(self._a_user()))
            return
        created = await writer.create(project=project.id)
        if created is not None:
            self._project_of[created.facts.task_id] = project.project_id
        self._keep(created)

    async def _move(self, writer: TaskWriter, task: Known) -> None:
        status = self.random.choice(sorted(FOLLOWERS[task.facts.status]))
        await self._learn(writer, task, await writer.move(task, status.value))

    async def _assign(self, writer: TaskWriter, task: Known) -> None:
        await self._learn(writer, task, await writer.assign(task, self._a_user()))

    async def _edit(self, writer: TaskWriter, task: Known) -> None:
        await self._learn(writer, task, await writer.edit(task))

    async def _transfer(self, writer: TaskWriter, task: Known) -> None:
        """Move the task to a project, or out of one; a former version of the server does not know how."""
        found = self.memberships.known if self.memberships is not None else ()
        project = self.random.choice([None, *found])
        moved = await writer.transfer(task, project.id if project is not None else None)
        if moved is not None:
            self._note_project(task, project)
        await self._learn(writer, task, moved)

    async def _restore(self, writer: TaskWriter, _: Known) -> None:
        """Restore the task that was deleted last."""
        if self.deleted:
            self._keep(await writer.restore(self.deleted.pop()))

    def _note_project(self, task: Known, project: KnownProject | None) -> None:
        if project is not None:
            self._project_of[task.facts.task_id] = project.project_id
        else:
            self._project_of.pop(task.facts.task_id, None)

    async def _delete(self, writer: TaskWriter, task: Known) -> None:
        if await writer.delete(task):
            self.known.pop(task.facts.task_id, None)
            self.deleted.append(task)
        else:
            await self._learn(writer, task, None)

    async def _learn(self, writer: TaskWriter, task: Known, found: Known | None) -> None:
        """Read the task again after a refusal; forget a task that is not visible."""
        if found is None and (found := await writer.look(task)) is None:
            self.known.pop(task.facts.task_id, None)
        self._keep(found)

    def _keep(self, found: Known | None) -> None:
        if found is not None:
            known = self.known.get(found.facts.task_id)
            if known is None or known.facts.version < found.facts.version:
                self.known[found.facts.task_id] = found

    def _a_task_for(self, name: str) -> Known | None:
        user = self.users[name]
        member_of = {each.project_id for each in self.memberships.projects_of(name)} if self.memberships else set()
        mine = [
            each
            for each in self.known.values()
            if PEOPLE[name] is Role.ADMIN
            or user.id in (each.facts.owner_id, each.facts.assignee_id)
            or self._project_of.get(each.facts.task_id) in member_of
        ]
        return self.random.choice(mine) if mine else None

    def _a_user(self) -> str | None:
        name = self.random.choice((*WORKERS, None))
        return encode_id("User", self.users[name].id) if name else None

    async def _wanted(self, head: int) -> dict[str, int]:
        """The last position up to *head* that each listener must receive."""
        self._log += await self.stack.log(after=len(self._log))
        log = self._log[:head]
        roles = {user.id: user.role for user in await self.stack.users()}
        return {follower.name: last_expected(log, follower.recorder.listener, roles) for follower in self.followers}

    def _late(self, wanted: dict[str, int]) -> str:
        return "; ".join(
            f"{follower.name} is at {follower.recorder.position} of {wanted[follower.name]},"
            f" after {follower.recorder.losses[-3:]}"
            for follower in self.followers
            if follower.recorder.position < wanted[follower.name]
        )

    async def _until(
        self, condition: Callable[[], bool], patience: float, why: Callable[[], str] = lambda: "not in time"
    ) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            for follower in self.followers:
                assert follower.task is not None
                if follower.task.done():
                    follower.task.result()
            if time.monotonic() > deadline:
                raise AssertionError(why())
            await asyncio.sleep(0.01)

    async def _history(self) -> History:
        log = await self.stack.log()
        return History(
            writes=[write for writer in self.writers for write in writer.writes],
            log=log,
            listeners=[follower.recorder.listener for follower in self.followers],
            roles={user.id: roles_of(user, log) for user in self.users.values()},
            final=await self.stack.tasks(),
            membership_writes=self.memberships.writes if self.memberships is not None else (),
            final_members=await self.stack.members() if self.memberships is not None else None,
        )
