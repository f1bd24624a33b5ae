"""The import: checks lines one by one, creates tasks in batches, and reports bad lines by their numbers."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cli.errors import CommandError
from cli.transfer.batch_writer import Batch, BatchWriter
from cli.transfer.dates import DateReader
from cli.transfer.formats import Line
from cli.transfer.import_errors import ImportProblems
from cli.transfer.label_lookups import LabelLookups
from cli.transfer.lookups import Lookups
from cli.transfer.nested_values import CommentRecord
from cli.transfer.task_record import Record, read
from domain.actor import Actor
from domain.errors import Invalid
from persistence.database import Database
from services.import_check import ImportCheck
from services.import_export import BATCH_SIZE, ImportedComment, ImportedTask, import_tasks

_MAX_CHARACTERS: Final = 1_000_000
"""The length of the texts of a batch. A thousand ordinary tasks have less; long texts make smaller batches."""
_LINES_AT_ONCE: Final = 50
"""Lines that are parsed before other work of the event loop continues."""

Parsed = tuple[int, Actor, ImportedTask]
"""The number of a line, and the owner and the task on it."""


class BadLine(CommandError):
    """A bad line that stops the import."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import: as which user, how times are read, and what happens to bad lines.

    With *owners* each task belongs to the user that its line names, else all tasks belong to *actor*. *source*
    separates ids that are not UUIDs from the ids of other sources. With *only_checks* nothing is created.
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
    """How many lines were created, already known, or bad; in a check, how many would be."""

    created: int = 0
    known: int = 0
    bad: int = 0

    @property
    def lines(self) -> int:
        """All lines that were processed."""
        return self.created + self.known + self.bad


@dataclass(slots=True)
class Importer:
    """An import in progress. *problems* collects bad lines; *advance* is called with the number of lines processed."""

    database: Database
    options: ImportOptions
    problems: ImportProblems
    advance: Callable[[int], None]
    counts: ImportCounts = field(default_factory=ImportCounts)
    _lookups: Lookups = field(init=False)
    _labels: LabelLookups = field(init=False)
    _check: ImportCheck = field(default_factory=ImportCheck)
    _pending: Batch[Parsed] = field(default_factory=dict)
    _characters: int = 0
    """The length of the pending texts."""
    _writer: BatchWriter[Parsed] = field(init=False)

    def __post_init__(self) -> None:
        self._lookups = Lookups(self.database)
        self._labels = LabelLookups(self.database)
        self._writer = BatchWriter(self._write, self._count)

    async def take(self, lines: Iterable[Line]) -> None:
        """Import all lines.

        Raises:
            BadLine: at the first bad line, unless bad lines are skipped. The lines before it are imported, and those
                behind it that are in its batch, or in one that was written at the same time.
        """
        try:
            for number, line in enumerate(lines):
                if number % _LINES_AT_ONCE == 0:
                    await asyncio.sleep(0)  # the statements of other batches continue
                await self._take_line(line)
            await self._flush()
        except BaseException as error:
            await self._writer.close(cancel=not isinstance(error, BadLine))
            raise

    async def _take_line(self, line: Line) -> None:
        try:
            owner, task = await self._parse(line)
        except Invalid as problem:
            await self._flush()
            self._report_bad(line.number, problem.message)
            return
        if self._is_full or self._needs_another_batch(owner, task):
            await self._start_writing()
        self._pending[task.task_id] = line.number, owner, task
        self._characters += len(task.title) + len(task.description) + sum(len(each.text) for each in task.comments)

    @property
    def _is_full(self) -> bool:
        return len(self._pending) == BATCH_SIZE or self._characters > _MAX_CHARACTERS

    def _needs_another_batch(self, owner: Actor, task: ImportedTask) -> bool:
        """Whether the task cannot be in a batch with the pending ones.

        One transaction creates the tasks of one owner in a batch. That of the parent's owner can be a later one.
        """
        parent = self._pending.get(task.parent_id) if task.parent_id is not None else None
        return task.task_id in self._pending or (parent is not None and parent[1] != owner)

    async def _parse(self, line: Line) -> tuple[Actor, ImportedTask]:
        if line.problem is not None:
            raise Invalid(line.problem)
        options, now = self.options, datetime.now(UTC)
        record = read(line.values, source=options.source, number=line.number, now=now, dates=options.dates)
        owner = await self._owner(record)
        return owner, await self._with_references(record, owner)

    async def _with_references(self, record: Record, owner: Actor) -> ImportedTask:
        """The task with the ids of what its line names."""
        task = record.task
        if record.project is not None:
            task = replace(task, project_id=await self._lookups.project(record.project, owner))
        if record.assignee is not None:
            assignee = await self._lookups.user(record.assignee, "assignee")
            task = replace(task, assignee_id=assignee.user_id)
        if record.labels and task.project_id is not None:
            creates = not self.options.only_checks
            found = await self._labels.of_names(task.project_id, record.labels, owner, creates=creates)
            task = replace(task, label_ids=found)
        if record.comments:
            task = replace(task, comments=tuple([await self._comment(each) for each in record.comments]))
        return task

    async def _comment(self, comment: CommentRecord) -> ImportedComment:
        name = comment.author
        if not self.options.owners and name.lower() != self.options.username.lower():
            raise Invalid(
                f"the author of a comment is {name[:40]!a}. Use --owners to keep the authors, or --ignore comments."
            )
        return ImportedComment(await self._lookups.author(name), comment.text, comment.created_at)

    async def _owner(self, record: Record) -> Actor:
        name = record.owner
        if name is None or name.lower() == self.options.username.lower():
            return self.options.actor
        if not self.options.owners:
            raise Invalid(
                f"the owner is {name[:40]!a}. Use --owners to keep the owners, or --ignore owner to import all tasks "
                f"as {self.options.username}."
            )
        return await self._lookups.user(name, "owner")

    def _report_bad(self, number: int, problem: str) -> None:
        self.counts.bad += 1
        if not self.options.skips_bad and not self.options.only_checks:
            raise BadLine(f"line {number}: {problem}")
        self.problems.add(number, problem)

    async def _flush(self) -> None:
        """Create all tasks that were read, and wait for them."""
        await self._start_writing()
        await self._writer.finish()

    async def _start_writing(self) -> None:
        """Begin to create the tasks that were read since the last batch."""
        batch, self._pending, self._characters = self._pending, {}, 0
        if batch:
            parents = {task.parent_id for _, _, task in batch.values() if task.parent_id is not None}
            await self._writer.start(batch, batch.keys() | parents)

    async def _write(self, batch: Batch[Parsed]) -> dict[UUID, str]:
        """Create the tasks of a batch; returns why tasks were refused, by id."""
        by_owner: dict[Actor, list[ImportedTask]] = {}
        for _, owner, task in batch.values():
            by_owner.setdefault(owner, []).append(task)
        refused: dict[UUID, str] = {}
        for owner, tasks in by_owner.items():
            refused |= await self._create(owner, tasks)
        return refused

    def _count(self, batch: Batch[Parsed], refused: dict[UUID, str]) -> None:
        self.advance(len(batch))
        bad = sorted((batch[task_id][0], problem) for task_id, problem in refused.items())
        for number, problem in bad:
            self._report_bad(number, problem)

    async def _create(self, owner: Actor, tasks: list[ImportedTask]) -> dict[UUID, str]:
        """Create the tasks, or only check them; returns why tasks were refused, by id."""
        create = self._check.take if self.options.only_checks else import_tasks
        done = await create(self.database.unit_of_work(owner), tasks=tasks)
        self.counts.created += len(done.created)
        self.counts.known += len(done.known)
        return done.refused
