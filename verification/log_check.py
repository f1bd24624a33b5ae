"""Checks that the log, the acknowledged writes and the final state agree."""

from collections import Counter
from itertools import pairwise
from uuid import UUID

from domain.events import TaskChange, TaskEvent
from verification.history import History, TaskFacts, Write
from verification.index import Index
from verification.report import Fault, Report

LOG = "the log"


def check_log(history: History, index: Index, report: Report) -> None:
    """Add all contradictions to the report."""
    if history.whole:
        _check_density(index, report)
    unplaced = {(each.task_id, each.version) for each in history.unplaced if isinstance(each, TaskEvent)}
    for task_id, events in index.tasks().items():
        _check_task(task_id, [event for _, event in events], unplaced, report)
    _check_writes(history, index, report)
    _check_times(history, index, report)
    _check_final(history, index, report)


def _check_density(index: Index, report: Report) -> None:
    positions = sorted(index.positions)
    for before, after in pairwise(positions):
        if after != before + 1:
            report.note(Fault.LOST, LOG, f"there are no events between the positions {before} and {after}")


def _check_task(task_id: UUID, events: list[TaskEvent], unplaced: set[tuple[UUID, int]], report: Report) -> None:
    """The versions of a task must be consecutive, and each must start with the values of the one before.

    *unplaced* are the tasks and versions of events whose position is unknown.
    """
    twice = [version for version, times in Counter(event.version for event in events).items() if times > 1]
    for version in twice:
        report.note(Fault.DUPLICATED, LOG, f"task {task_id} has two events of version {version}")
    for before, after in pairwise(events):
        between = {(task_id, version) for version in range(before.version + 1, after.version)}
        if between and between <= unplaced:
            continue
        if after.version != before.version + 1 and after.version not in twice:
            report.note(
                Fault.OUT_OF_ORDER, LOG, f"task {task_id} goes from version {before.version} to {after.version}"
            )
        elif not _follows(before, after):
            report.note(
                Fault.WRONG,
                LOG,
                f"version {after.version} of task {task_id} does not start with the values of the one before",
            )


def _follows(before: TaskEvent, after: TaskEvent) -> bool:
    """Whether a version starts with the values of the one before. A restored task has those of its deletion."""
    if TaskChange.RESTORED in after.changes:
        return (after.to_status, after.before, after.after) == (before.to_status, before.after, before.before)
    return (after.from_status, after.before) == (before.to_status, before.after)


def _check_writes(history: History, index: Index, report: Report) -> None:
    known = {(event.task_id, event.version) for event in history.unplaced if isinstance(event, TaskEvent)}
    for write in history.writes:
        if _event_of(write, index) is None and (write.task_id, write.version) not in known:
            version = "the deletion" if write.version is None else f"version {write.version}"
            report.note(Fault.LOST, LOG, f"{version} of task {write.task_id} was acknowledged, but is not in the log")


def _check_times(history: History, index: Index, report: Report) -> None:
    """A write that began after the acknowledgement of another one must have a later position."""
    positioned = [(write, position) for write in history.writes if (position := _event_of(write, index)) is not None]
    by_ack = sorted(positioned, key=lambda each: each[0].acked)
    reached, done = 0, 0
    for write, position in sorted(positioned, key=lambda each: each[0].begun):
        while by_ack[done][0].acked < write.begun:
            reached = max(reached, by_ack[done][1])
            done += 1
        if position < reached:
            report.note(Fault.OUT_OF_ORDER, LOG, f"{position} began after {reached} had been acknowledged")


def _event_of(write: Write, index: Index) -> int | None:
    """The position of the event of a write."""
    for position, event in index.tasks().get(write.task_id, ()):
        if event.deleted if write.version is None else event.version == write.version:
            return position
    return None


def _check_final(history: History, index: Index, report: Report) -> None:
    final = {facts.task_id: facts for facts in history.final}
    lasts = {task_id: events[-1][1] for task_id, events in index.tasks().items()}
    unplaced = {event.task_id for event in history.unplaced if isinstance(event, TaskEvent)}
    for task_id, last in lasts.items():
        if task_id not in unplaced and not _agrees(last, final.get(task_id), index):
            report.note(
                Fault.WRONG, LOG, f"task {task_id} differs from version {last.version}, the last one in the log"
            )
    if history.whole:
        for task_id in final.keys() - lasts.keys():
            report.note(Fault.LOST, LOG, f"there is no event for task {task_id}")


def _agrees(last: TaskEvent, facts: TaskFacts | None, index: Index) -> bool:
    if facts is None or last.after is None:
        return facts is None and last.after is None
    values = (last.version, last.to_status, last.title, last.after)
    return values == (facts.version, facts.status, facts.title, index.people_of(facts))
