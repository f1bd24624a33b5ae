"""Changes tasks, and records which changes were acknowledged."""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from verification.client.account import Account
from verification.client.failures import Failed, Refused
from verification.client.reading import TASK, facts_of
from verification.history import TaskFacts, Write

_ANSWER: Final = f"{{ task {{ {TASK} }} userErrors {{ code message }} }}"
_CREATE: Final = f"mutation ($input: CreateTaskInput!) {{ it: createTask(input: $input) {_ANSWER} }}"
_EDIT: Final = f"mutation ($input: UpdateTaskInput!) {{ it: updateTask(input: $input) {_ANSWER} }}"
_MOVE: Final = f"mutation ($input: UpdateTaskStatusInput!) {{ it: updateTaskStatus(input: $input) {_ANSWER} }}"
_ASSIGN: Final = f"mutation ($input: AssignTaskInput!) {{ it: assignTask(input: $input) {_ANSWER} }}"
_DELETE: Final = "mutation ($input: DeleteTaskInput!) { it: deleteTask(input: $input) { userErrors { code message } } }"
_TRANSFER: Final = f"mutation ($input: MoveTaskInput!) {{ it: moveTask(input: $input) {_ANSWER} }}"
_RESTORE: Final = f"mutation ($input: RestoreTaskInput!) {{ it: restoreTask(input: $input) {_ANSWER} }}"
_TASK: Final = f"query ($id: ID!) {{ task(id: $id) {{ {TASK} }} }}"


@dataclass(frozen=True, slots=True)
class Known:
    """A task as it was last received, with its id in the API."""

    id: str
    facts: TaskFacts


class TaskWriter:
    """Changes tasks as one account.

    A change without an acknowledgement may or may not have happened: it is not among the `writes`. Each edit has a
    unique text, and each other change names the version on which it is based, so that an acknowledged version certainly
    belongs to this change.
    """

    def __init__(self, account: Account, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._name = name
        self._clock = clock
        self._numbers = itertools.count(1)
        self.writes: list[Write] = []
        self.seconds: list[tuple[float, float]] = []
        """The start and the duration of each acknowledged write."""
        self.answers: dict[tuple[UUID, int], TaskFacts] = {}
        """The tasks after acknowledged writes, by version."""
        self.failures: Counter[str] = Counter()
        """The error codes, or `no answer`, of changes without an acknowledgement."""

    def a_text(self) -> str:
        """A unique title."""
        return f"{self._name} {next(self._numbers)}"

    async def create(self, assignee: str | None = None, project: str | None = None) -> Known | None:
        """Create a task, personal or in a project; None without an acknowledgement."""
        wanted = {"title": self.a_text(), "assigneeId": assignee}
        # A server without projects does not know the field.
        in_project = {"projectId": project} if project is not None else {}
        return await self._change(_CREATE, wanted | in_project, before=0)

    async def edit(self, task: Known) -> Known | None:
        """Give a task a new title."""
        return await self._change(_EDIT, {"id": task.id, "title": self.a_text()}, before=0)

    async def move(self, task: Known, status: str) -> Known | None:
        """Change the status of a task to another one."""
        version = task.facts.version
        return await self._change(_MOVE, {"id": task.id, "status": status, "expectedVersion": version}, before=version)

    async def assign(self, task: Known, assignee: str | None) -> Known | None:
        """Change the assignee of a task to another one."""
        version = task.facts.version
        wanted = {"id": task.id, "assigneeId": assignee, "expectedVersion": version}
        return await self._change(_ASSIGN, wanted, before=version)

    async def transfer(self, task: Known, project: str | None) -> Known | None:
        """Move a task to another project, or out of one."""
        version = task.facts.version
        wanted = {"id": task.id, "projectId": project, "expectedVersion": version}
        return await self._change(_TRANSFER, wanted, before=version)

    async def delete(self, task: Known) -> bool:
        """Delete a task; returns whether it was acknowledged."""
        begun, version = self._clock(), task.facts.version
        if await self._ask(_DELETE, {"id": task.id, "expectedVersion": version}) is None:
            return False
        self._note(task.facts.task_id, version + 1, begun)
        return True

    async def restore(self, task: Known) -> Known | None:
        """Restore a deleted task."""
        return await self._change(_RESTORE, {"id": task.id}, before=0)

    async def look(self, task: Known) -> Known | None:
        """The current task; None if it is not visible, or without an answer."""
        try:
            found = (await self._account.ask(_TASK, {"id": task.id}))["task"]
        except Failed as failed:
            self._failed(failed)
            return None
        return Known(found["id"], facts_of(found)) if found else None

    async def _change(self, query: str, wanted: dict[str, Any], *, before: int) -> Known | None:
        begun = self._clock()
        answer = await self._ask(query, wanted)
        if answer is None:
            return None
        found = Known(answer["task"]["id"], facts_of(answer["task"]))
        if found.facts.version != before:  # with the same version, nothing was changed
            self._note(found.facts.task_id, found.facts.version, begun)
            self.answers[found.facts.task_id, found.facts.version] = found.facts
        return found

    def _note(self, task_id: UUID, version: int | None, begun: float) -> None:
        acked = self._clock()
        self.writes.append(Write(task_id, version, begun, acked))
        self.seconds.append((begun, acked - begun))

    async def _ask(self, query: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = (await self._account.ask(query, {"input": wanted}))["it"]
        except Failed as failed:
            self._failed(failed)
            return None
        for refusal in answer["userErrors"]:
            self.failures[refusal["code"]] += 1
            return None
        return answer

    def _failed(self, failed: Failed) -> None:
        self.failures[failed.code if isinstance(failed, Refused) else "no answer"] += 1
