"""The requests to all peers, and how their responses are read."""

from collections import Counter
from functools import cache
from uuid import UUID

import pytest

from benchmarks.cases import MIX, Case, Operation, sample
from benchmarks.dataset import CREATED, DELETABLE, WRITTEN, row_id
from benchmarks.dialects import Dialects
from benchmarks.peers.catalogue import PEERS
from benchmarks.workloads import WRITES, Workload, cases
from graphql_api.schema.ids import encode_id

TASKS = [UUID(int=number) for number in range(1, WRITTEN + DELETABLE + 1_001)]
CHANGED = {Operation.MOVE: "status", Operation.EDIT: "title", Operation.ASSIGN: "person"}


@cache
def known_sample(workload: Workload) -> list[Case]:
    """Some requests of a workload; to make them all for each peer takes seconds."""
    return sample(cases(workload, TASKS), 10)


class TestCases:
    @pytest.mark.parametrize("workload", [Workload.W3, Workload.W7, Workload.W8, Workload.W10])
    def test_every_change_changes_something(self, workload: Workload):
        """A task never gets the value that it has, also when the requests are repeated: that would cost less."""
        stored: dict[object, object] = {(task, Operation.MOVE): "DONE" for task in TASKS[:WRITTEN]}
        for case in [*cases(workload, TASKS), *cases(workload, TASKS)]:
            if case.operation in CHANGED:
                value = getattr(case, CHANGED[case.operation])
                assert value is not None
                assert stored.get((case.task, case.operation)) != value
                stored[case.task, case.operation] = value

    @pytest.mark.parametrize("workload", [Workload.W3, Workload.W7, Workload.W8, Workload.W10])
    def test_only_tasks_of_our_user_are_changed(self, workload: Workload):
        """Others may not be changed by a moderator; the tasks that W1 reads keep their values."""
        changed = {case.task for case in cases(workload, TASKS) if case.operation in CHANGED}
        assert changed <= set(TASKS[:WRITTEN])

    def test_every_task_is_deleted_once(self):
        """A second deletion would be refused. The tasks of the other writes are not deleted."""
        deleted = [case.task for case in cases(Workload.W9, TASKS)]
        assert len(set(deleted)) == len(deleted) == DELETABLE
        assert not set(deleted) & set(TASKS[:WRITTEN])

    @pytest.mark.parametrize("workload", [Workload.W6, Workload.W10])
    def test_created_tasks_can_be_removed(self, workload: Workload):
        """Their titles differ from those of all other tasks."""
        for case in cases(workload, TASKS):
            assert case.title.startswith(f"{CREATED} ") == (case.operation is Operation.CREATE)

    def test_the_mix_has_its_shares(self):
        """In the whole cycle, and roughly in the part that a short load sends."""
        mixed = cases(Workload.W10, TASKS)
        counts = Counter(case.operation for case in mixed)
        assert {operation: 100 * count / len(mixed) for operation, count in counts.items()} == MIX
        start = Counter(case.operation for case in mixed[:1_000])
        for operation, percent in MIX.items():
            assert start[operation] == pytest.approx(10 * percent, rel=0.4)

    def test_the_mix_is_that_of_a_board(self):
        """70 % reads, 20 % changes, 5 % creations, 5 % searches."""
        assert MIX[Operation.PAGE] + MIX[Operation.TASK] == 70
        assert MIX[Operation.MOVE] + MIX[Operation.EDIT] == 20
        assert (MIX[Operation.CREATE], MIX[Operation.SEARCH]) == (5, 5)

    @pytest.mark.parametrize("workload", list(Workload))
    def test_all_peers_get_the_same_requests(self, workload: Workload):
        """The requests are random, with a fixed seed."""
        assert cases(workload, TASKS) == cases(workload, TASKS)


class TestSample:
    def test_every_operation_is_checked(self):
        """Reads come before writes, which change what they return."""
        operations = [case.operation for case in sample(cases(Workload.W10, TASKS), 30)]
        assert Counter(operations) == dict.fromkeys(MIX, 5)
        writes = [operation.writes for operation in operations]
        assert writes == sorted(writes)

    def test_a_changed_task_is_checked_once(self):
        """The correct responses are computed before the first change."""
        checked = [case.task for case in sample(cases(Workload.W10, TASKS), 30) if case.operation in CHANGED]
        assert len(set(checked)) == len(checked)


class TestPeers:
    @pytest.mark.parametrize("peer", [peer for peer in PEERS.values() if peer.workloads], ids=lambda peer: peer.name)
    @pytest.mark.parametrize("workload", list(Workload))
    def test_every_request_can_be_sent(self, peer, workload: Workload):
        """Each peer has a request for each operation of its workloads, on one line of the generator's file."""
        if workload in peer.workloads:
            for case in known_sample(workload):
                request = peer.dialect.value.request(case)
                assert "\n" not in request.body
                assert "\t" not in request.path + request.body

    @pytest.mark.parametrize("name", ["mercurius", "apollo"])
    def test_node_peers_have_a_form_with_events(self, name: str):
        """Only for workloads of one kind of change, and with the same program."""
        bare, with_event = PEERS[name], PEERS[f"{name}-event"]
        assert with_event.command == bare.command
        assert with_event.workloads == set(WRITES) < bare.workloads
        assert (bare.records_events, with_event.records_events) == (False, True)


class TestDialects:
    def test_a_task_is_equal_in_all_dialects(self):
        """Opaque ids, lower-case statuses, names of priorities and time formats are normalized."""
        task = TASKS[0]
        ours = {
            "id": encode_id("Task", task),
            "status": "TODO",
            "priority": "HIGH",
            "createdAt": "2026-01-01T00:00:00.5Z",
        }
        graphql = {"id": str(task), "status": "TODO", "priority": 3, "createdAt": "2026-01-01T00:00:00.500Z"}
        postgraphile = {**graphql, "status": "todo", "createdAt": "2026-01-01T01:00:00.5+01:00"}
        found = {
            str(dialect.value.plain(Operation.TASK, answer))
            for dialect, answer in (
                (Dialects.OURS, {"data": {"task": ours}}),
                (Dialects.GRAPHQL, {"data": {"task": graphql}}),
                (Dialects.POSTGRAPHILE, {"data": {"task": postgraphile}}),
                (Dialects.REST, graphql),
            )
        }
        assert len(found) == 1

    @pytest.mark.parametrize(
        ("dialect", "answer"),
        [
            (Dialects.OURS, {"data": {"deleteTask": {"deletedTaskId": encode_id("Task", TASKS[0]), "userErrors": []}}}),
            (Dialects.GRAPHQL, {"data": {"deleteTask": str(TASKS[0])}}),
            (Dialects.POSTGRAPHILE, {"data": {"deleteTaskByRowId": {"task": {"id": str(TASKS[0])}}}}),
            (Dialects.REST, {"id": str(TASKS[0])}),
        ],
    )
    def test_a_deletion_is_equal_in_all_dialects(self, dialect: Dialects, answer: object):
        """It returns the id."""
        assert dialect.value.plain(Operation.DELETE, answer) == {"id": str(TASKS[0])}

    @pytest.mark.parametrize(
        ("dialect", "answer"),
        [
            (Dialects.OURS, {"errors": [{"message": "no"}]}),
            (Dialects.OURS, {"data": {"updateTaskStatus": {"task": None, "userErrors": [{"code": "FORBIDDEN"}]}}}),
            (Dialects.OURS, {"data": {"deleteTask": {"deletedTaskId": None, "userErrors": [{"code": "no"}]}}}),
            (Dialects.GRAPHQL, {"data": None, "errors": [{"message": "no"}]}),
            (Dialects.REST, {"detail": "no"}),
        ],
    )
    @pytest.mark.parametrize("operation", [Operation.MOVE, Operation.DELETE])
    def test_a_refusal_is_not_measured(self, dialect: Dialects, answer: object, operation: Operation):
        """The time of an error does not count."""
        with pytest.raises(ValueError, match=r"no|FORBIDDEN"):
            dialect.value.plain(operation, answer)

    def test_our_ids_are_opaque(self):
        """In all variables that are ids, and in no others."""
        case = Case(Operation.ASSIGN, task=TASKS[0], person=row_id("u7"))
        assert Dialects.OURS.value.variables(case) == {
            "id": encode_id("Task", TASKS[0]),
            "assigneeId": encode_id("User", row_id("u7")),
        }
        created = cases(Workload.W6, TASKS)[0]
        assert set(Dialects.OURS.value.variables(created)) == {"title", "description", "priority"}
