"""Whether the log, the acknowledged writes and the final state agree."""

from collections import Counter
from itertools import pairwise
from uuid import UUID

from domain.events import TaskEvent
from verification.expected_visibility import people_of
from verification.history import History, TaskFacts, Write
from verification.index import Index
from verification.report import Fault, Report

LOG = "the log"


def judge_records(history: History, index: Index, report: Report) -> None:
    """Note what does not fit together."""
    if history.whole:
        _judge_density(index, report)
    for task_id, events in index.tasks().items():
        _judge_task(task_id, [event for _, event in events], report)
    _judge_writes(history, index, report)
    _judge_times(history, index, report)
    _judge_final(history, index, report)


def _judge_density(index: Index, report: Report) -> None:
    positions = sorted(index.positions)
    for before, after in pairwise(positions):
        if after != before + 1:
            report.note(Fault.LOST, LOG, f"nothing has the positions between {before} and {after}")


def _judge_task(task_id: UUID, events: list[TaskEvent], report: Report) -> None:
    """One version after the other, each beginning where the one before ended."""
    twice = [version for version, times in Counter(event.version for event in events).items() if times > 1]
    for version in twice:
        report.note(Fault.DUPLICATED, LOG, f"task {task_id} has two events of version {version}")
    for before, after in pairwise(events):
        if after.version != before.version + 1 and after.version not in twice:
            report.note(
                Fault.OUT_OF_ORDER, LOG, f"task {task_id} goes from version {before.version} to {after.version}"
            )
        elif (after.from_status, after.before) != (before.to_status, before.after):
            report.note(
                Fault.WRONG, LOG, f"version {after.version} of task {task_id} does not begin where the last one ended"
            )


def _judge_writes(history: History, index: Index, report: Report) -> None:
    known = {(event.task_id, event.version) for event in history.unplaced}
    for write in history.writes:
        if _event_of(write, index) is None and (write.task_id, write.version) not in known:
            version = "its end" if write.version is None else f"version {write.version}"
            report.note(Fault.LOST, LOG, f"{version} of task {write.task_id} was acknowledged and is not there")


def _judge_times(history: History, index: Index, report: Report) -> None:
    """What began after something else was acknowledged must lie behind it."""
    placed = [(write, place) for write in history.writes if (place := _event_of(write, index)) is not None]
    by_ack = sorted(placed, key=lambda each: each[0].acked)
    reached, done = 0, 0
    for write, place in sorted(placed, key=lambda each: each[0].begun):
        while by_ack[done][0].acked < write.begun:
            reached = max(reached, by_ack[done][1])
            done += 1
        if place < reached:
            report.note(Fault.OUT_OF_ORDER, LOG, f"{place} began after {reached} had been acknowledged")


def _event_of(write: Write, index: Index) -> int | None:
    """The position of the event of a write."""
    for position, event in index.tasks().get(write.task_id, ()):
        if event.deleted if write.version is None else event.version == write.version:
            return position
    return None


def _judge_final(history: History, index: Index, report: Report) -> None:
    final = {facts.task_id: facts for facts in history.final}
    lasts = {task_id: events[-1][1] for task_id, events in index.tasks().items()}
    unplaced = {event.task_id for event in history.unplaced}
    for task_id, last in lasts.items():
        if task_id not in unplaced and not _agrees(last, final.get(task_id)):
            report.note(Fault.WRONG, LOG, f"task {task_id} is not what version {last.version} left of it")
    if history.whole:
        for task_id in final.keys() - lasts.keys():
            report.note(Fault.LOST, LOG, f"nothing tells how task {task_id} came to be")


def _agrees(last: TaskEvent, facts: TaskFacts | None) -> bool:
    if facts is None or last.after is None:
        return facts is None and last.after is None
    told = (last.version, last.to_status, last.title, last.after)
    return told == (facts.version, facts.status, facts.title, people_of(facts))
