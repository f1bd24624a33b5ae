"""The verdict on a run with failovers, by the judge of `verification`.

A client that is asked to load its lists again (`ResyncRequired`, other than because of its rights) counts as a resync
here, and not as a loss: whether something was lost is decided by the log alone. After a loss, what clients received
before their last resync belongs to a history that does not exist any more, and is not judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.events import TaskEvent
from verification.history import History, Item, ItemKind, Listener, RecordedConnection, TaskFacts, Write
from verification.history_check import check_history
from verification.index import Index
from verification.listener_check import RESYNC
from verification.report import Fault, FoundFault, Report

Answers = Mapping[tuple[UUID, int], TaskFacts]
"""The tasks that acknowledgements had, by version."""


@dataclass(frozen=True)
class Verdict:
    """Acknowledged changes and what became of them, and all findings but resyncs."""

    acknowledged: int
    lost: int
    duplicated: int
    forbidden: int
    wrong: int
    findings: list[str]


def judge_synchronous(history: History, answers: Answers) -> Verdict:
    """Nothing may be lost: everything that every client received is judged."""
    return _verdict(history, check_history(history), lost_writes(history, answers))


def judge_asynchronous(history: History, answers: Answers) -> Verdict:
    """Changes may be lost: they are counted, and the rest of the history is judged without them."""
    lost = lost_writes(history, answers)
    kept = [write for write in history.writes if write not in lost]
    listeners = [after_last_resync(each) for each in history.listeners]
    report = check_history(replace(history, writes=kept, listeners=listeners))
    return _verdict(history, report, lost)


def lost_writes(history: History, answers: Answers) -> list[Write]:
    """The acknowledged changes that are not in the log.

    After a failover the version of a lost change can belong to another one, so the values are compared, too.
    """
    tasks = Index(history).tasks()
    return [write for write in history.writes if not _is_in(tasks.get(write.task_id, ()), write, answers)]


def after_last_resync(listener: Listener) -> Listener:
    """The listener as a client that has just loaded its lists for the last time because of a new epoch."""
    for number in reversed(range(len(listener.connections))):
        connection = listener.connections[number]
        for place in reversed(range(len(connection.items))):
            item = connection.items[place]
            if is_new_epoch(item):
                rest = RecordedConnection(
                    item.received, item.cursor, item.snapshot, connection.session_id, connection.items[place + 1 :]
                )
                return replace(listener, connections=[rest, *listener.connections[number + 1 :]])
    return listener


def is_new_epoch(item: Item) -> bool:
    """Whether an item asks for the lists again, other than because of rights."""
    return item.kind is ItemKind.RESYNC and item.reason != "ACCESS"


def _is_in(events: Sequence[tuple[int, TaskEvent]], write: Write, answers: Answers) -> bool:
    if write.version is None:
        return any(event.deleted for _, event in events)
    wanted = answers.get((write.task_id, write.version))
    found = [(event.title, event.to_status) for _, event in events if event.version == write.version]
    return bool(found) and (wanted is None or (wanted.title, wanted.status) in found)


def _verdict(history: History, report: Report, lost: Sequence[Write]) -> Verdict:
    findings = [each for each in report.findings if not _is_resync(each)]
    # The judge of the log finds the same losses by version; each counts once.
    others = sum(each.fault is Fault.LOST and "was acknowledged" not in each.what for each in findings)
    counted = {fault: sum(each.fault is fault for each in findings) for fault in Fault}
    return Verdict(
        acknowledged=len(history.writes),
        lost=len(lost) + others,
        duplicated=counted[Fault.DUPLICATED],
        forbidden=counted[Fault.FORBIDDEN],
        wrong=counted[Fault.WRONG] + counted[Fault.OUT_OF_ORDER],
        findings=[str(each) for each in findings],
    )


def _is_resync(finding: FoundFault) -> bool:
    return finding.fault is Fault.LOST and finding.what.startswith(RESYNC)
