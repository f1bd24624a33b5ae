"""Changing tasks, and being honest about what was acknowledged."""

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
_TASK: Final = f"query ($id: ID!) {{ task(id: $id) {{ {TASK} }} }}"


@dataclass(frozen=True, slots=True)
class Known:
    """A task as it was last seen, with the id that the API gave it."""

    id: str
    facts: TaskFacts


class Writer:
    """Changes tasks as one account.

    What is not acknowledged may or may not have happened: it is not among the `writes`, and nothing is repeated that
    could look like it. Each edit carries a text that was never used before, and each other change names the version
    that it starts from, so that an acknowledged version is certainly this change's own.
    """

    def __init__(self, account: Account, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._name = name
        self._clock = clock
        self._numbers = itertools.count(1)
        self.writes: list[Write] = []
        self.seconds: list[tuple[float, float]] = []
        """When each acknowledged write began, and how long it took."""
        self.answers: dict[tuple[UUID, int], TaskFacts] = {}
        """What acknowledged writes made of their tasks, by version."""
        self.failures: Counter[str] = Counter()
        """Codes, or the word for no answer, of what was not acknowledged."""

    def a_text(self) -> str:
        """A title that nobody has used."""
        return f"{self._name} {next(self._numbers)}"

    async def create(self, assignee: str | None = None) -> Known | None:
        """Create a task; None if that was not acknowledged."""
        return await self._change(_CREATE, {"title": self.a_text(), "assigneeId": assignee}, before=0)

    async def edit(self, task: Known) -> Known | None:
        """Give a task a new title."""
        return await self._change(_EDIT, {"id": task.id, "title": self.a_text()}, before=0)

    async def move(self, task: Known, status: str) -> Known | None:
        """Move a task to another column than it is in."""
        version = task.facts.version
        return await self._change(_MOVE, {"id": task.id, "status": status, "expectedVersion": version}, before=version)

    async def assign(self, task: Known, assignee: str | None) -> Known | None:
        """Give a task to somebody else than has it."""
        version = task.facts.version
        wanted = {"id": task.id, "assigneeId": assignee, "expectedVersion": version}
        return await self._change(_ASSIGN, wanted, before=version)

    async def delete(self, task: Known) -> bool:
        """Delete a task; whether that was acknowledged."""
        begun = self._clock()
        if await self._ask(_DELETE, {"id": task.id}) is None:
            return False
        self._note(task.facts.task_id, None, begun)
        return True

    async def look(self, task: Known) -> Known | None:
        """The task as it is now; None if it cannot be seen, or nobody answers."""
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
        if found.facts.version != before:  # else it was so already, and nothing has happened
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
