"""The correct responses to changes, and the count of the changes under load."""

import pytest

from benchmarks import change_counts
from benchmarks.answer_checks import changed, comparable, created
from benchmarks.cases import Case, Operation
from benchmarks.change_counts import ChangeCount, moves_among, writes_among
from benchmarks.dataset import row_id
from benchmarks.load import CONNECTIONS
from benchmarks.workloads import Workload

TASK = row_id("t1")
PERSON = row_id("u2")
STORED = {
    "id": str(TASK),
    "title": "old",
    "status": "DONE",
    "owner": {"id": "1"},
    "assignee": None,
    "updatedAt": "yesterday",
}
KEPT = {"id": str(TASK), "title": "old", "status": "DONE"}
MIXED = [Case(Operation.TASK), Case(Operation.MOVE), Case(Operation.CREATE), Case(Operation.TASK)]


class TestExpectedResponses:
    @pytest.mark.parametrize(
        ("case", "new"),
        [
            (Case(Operation.MOVE, task=TASK, status="TODO"), {"status": "TODO"}),
            (Case(Operation.EDIT, task=TASK, title="new"), {"title": "new"}),
            (Case(Operation.ASSIGN, task=TASK, person=PERSON), {"assignee": {"username": "user2"}}),
        ],
    )
    def test_a_change_returns_the_task_with_its_new_value(self, case: Case, new: dict[str, object]):
        """All other values stay."""
        assert changed(case, STORED, {PERSON: {"username": "user2"}}) == KEPT | new

    def test_values_that_the_server_chooses_are_not_compared(self):
        """The id and the times of a new task differ in each server."""
        case = Case(Operation.CREATE, title="new", description="text", priority=3)
        found = {**created(case), "id": "1", "createdAt": "now", "updatedAt": "now"}
        assert comparable(Operation.CREATE, found) == created(case)
        assert comparable(Operation.TASK, STORED) == STORED


class TestCounts:
    def test_the_least_number_of_changes(self):
        """The unanswered request of each connection may be any that was sent, and the cases are repeated."""
        assert writes_among(MIXED, 2 * CONNECTIONS + 8) == 4
        assert moves_among(MIXED, 4 * CONNECTIONS + 6) == 2
        assert writes_among(MIXED, CONNECTIONS) == 0

    @pytest.mark.parametrize(("made", "fails"), [(4, False), (3, True)])
    def test_refused_changes_are_noticed(self, monkeypatch: pytest.MonkeyPatch, made: int, fails: bool):
        """A refusal has the status 200, so the load generator does not count it as an error."""
        _set_events(monkeypatch, made)
        count = ChangeCount("url", by_events=True)
        if fails:
            with pytest.raises(RuntimeError, match="made only 3 changes"):
                count.check("ours", Workload.W10, MIXED, 2 * CONNECTIONS + 8, before=0)
        else:
            count.check("ours", Workload.W10, MIXED, 2 * CONNECTIONS + 8, before=0)

    def test_deletions_need_tasks(self):
        """The message says what to change."""
        with pytest.raises(RuntimeError, match="use a greater TASKS"):
            ChangeCount("url", by_events=False).check("ours", Workload.W9, MIXED, 5, before=0)

    def test_reads_are_not_counted(self):
        """No database is needed."""
        count = ChangeCount("url", by_events=True)
        count.check("ours", Workload.W1, MIXED, 100, count.read(Workload.W1))


def _set_events(monkeypatch: pytest.MonkeyPatch, made: int) -> None:
    async def events_after(url: str, last: int) -> int:
        return made

    monkeypatch.setattr(change_counts, "events_after", events_after)
