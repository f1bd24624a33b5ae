"""Lines in, tasks out: checked one by one, created many at a time, reported by their numbers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cli.actor import actor_of
from cli.transfer.dates import DateReader
from cli.transfer.formats import Line
from cli.transfer.import_errors import Problems
from cli.transfer.task_record import Record, read
from domain.actor import Actor
from domain.errors import Invalid
from persistence.database import Database
from server.errors import CommandError
from services.import_export import AT_A_TIME, ImportedTask, import_tasks

_REMEMBERED: Final = 10_000
"""People whose names need not be looked up again; beyond, all are forgotten: memory stays flat."""


class BadLine(CommandError):
    """A line that is no task, met without leave to skip it."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import: in whose name, how to read times, and what to do about bad lines.

    With *owners* each task belongs to the user that its line names, else all to *actor*. *source* keeps ids that are
    not UUIDs apart from those of other sources. With *only_checks* nothing is created.
    """

    actor: Actor
    username: str
    owners: bool = False
    dates: DateReader = field(default_factory=DateReader)
    source: str | None = None
    skips_bad: bool = False
    only_checks: bool = False


@dataclass(slots=True)
class ImportCounts:
    """How many lines became what."""

    created: int = 0
    known: int = 0
    bad: int = 0

    @property
    def lines(self) -> int:
        """All that were dealt with."""
        return self.created + self.known + self.bad


@dataclass(slots=True)
class Importer:
    """An import in progress. *problems* collects bad lines; *advance* is called with the number of lines done."""

    database: Database
    manner: ImportOptions
    problems: Problems
    advance: Callable[[int], None]
    tally: ImportCounts = field(default_factory=ImportCounts)
    _people: dict[str, Actor | None] = field(default_factory=dict)
    _waiting: dict[UUID, tuple[int, Actor, ImportedTask]] = field(default_factory=dict)

    async def take(self, lines: Iterable[Line]) -> None:
        """All lines.

        Raises:
            BadLine: at the first one that is bad, if they are not to be skipped; those before it are imported.
        """
        for line in lines:
            try:
                owner, arrival = await self._understood(line)
            except Invalid as problem:
                await self._settle()
                self._bad(line.number, problem.message)
                continue
            if len(self._waiting) == AT_A_TIME or arrival.task_id in self._waiting:
                await self._settle()
            self._waiting[arrival.task_id] = line.number, owner, arrival
        await self._settle()

    async def _understood(self, line: Line) -> tuple[Actor, ImportedTask]:
        if line.problem is not None:
            raise Invalid(line.problem)
        manner, now = self.manner, datetime.now(UTC)
        record = read(line.values, source=manner.source, number=line.number, now=now, dates=manner.dates)
        owner = await self._owner(record)
        if record.assignee is None:
            return owner, record.arrival
        assignee = await self._person(record.assignee, "assignee")
        return owner, replace(record.arrival, assignee_id=assignee.user_id)

    async def _owner(self, record: Record) -> Actor:
        name = record.owner
        if name is None or name.lower() == self.manner.username.lower():
            return self.manner.actor
        if not self.manner.owners:
            raise Invalid(
                f"its owner is {name[:40]!a}: with --owners it is imported in that name, with --ignore owner in "
                f"{self.manner.username}'s."
            )
        return await self._person(name, "owner")

    async def _person(self, name: str, what: str) -> Actor:
        if len(self._people) > _REMEMBERED:
            self._people.clear()
        if name not in self._people:
            try:
                self._people[name] = await actor_of(self.database, name)
            except CommandError:
                self._people[name] = None
        found = self._people[name]
        if found is None:
            raise Invalid(f"{what} {name[:40]!a} is no active user here.")
        return found

    def _bad(self, number: int, problem: str) -> None:
        self.tally.bad += 1
        if not self.manner.skips_bad and not self.manner.only_checks:
            raise BadLine(f"line {number}: {problem}")
        self.problems.add(number, problem)

    async def _settle(self) -> None:
        """Create what has been read by now."""
        waiting, self._waiting = self._waiting, {}
        batches: dict[Actor, list[ImportedTask]] = {}
        for _, owner, arrival in waiting.values():
            batches.setdefault(owner, []).append(arrival)
        refused: dict[UUID, str] = {}
        for owner, arrivals in batches.items():
            refused |= await self._create(owner, arrivals)
        self.advance(len(waiting))
        for task_id, problem in refused.items():
            self._bad(waiting[task_id][0], problem)

    async def _create(self, owner: Actor, arrivals: list[ImportedTask]) -> dict[UUID, str]:
        """Create them; those that were refused, and why."""
        if self.manner.only_checks:
            self.tally.created += len(arrivals)
            return {}
        done = await import_tasks(self.database.unit_of_work(owner), arrivals=arrivals)
        self.tally.created += len(done.created)
        self.tally.known += len(done.known)
        return done.refused
