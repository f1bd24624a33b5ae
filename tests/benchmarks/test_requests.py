"""The requests to all peers, and how their responses are read."""

from uuid import UUID

import pytest

from benchmarks.dataset import WRITTEN
from benchmarks.dialects import Dialects
from benchmarks.workloads import Workload, cases
from graphql_api.schema.ids import encode_id

TASKS = [UUID(int=number) for number in range(1, 5_001)]


class TestCases:
    def test_every_move_is_a_change(self):
        """In W3 a task never moves to its current status: that would cost nothing."""
        status = dict.fromkeys(TASKS[:WRITTEN], "DONE")
        for case in [*cases(Workload.W3, TASKS), *cases(Workload.W3, TASKS)]:
            assert case.task is not None
            assert case.status is not None
            assert status[case.task] != case.status
            status[case.task] = case.status

    @pytest.mark.parametrize("workload", list(Workload))
    def test_all_peers_get_the_same_requests(self, workload: Workload):
        """The requests are random, with a fixed seed."""
        assert cases(workload, TASKS) == cases(workload, TASKS)


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
        words = {
            str(dialect.value.plain(Workload.W1, answer))
            for dialect, answer in (
                (Dialects.OURS, {"data": {"task": ours}}),
                (Dialects.GRAPHQL, {"data": {"task": graphql}}),
                (Dialects.POSTGRAPHILE, {"data": {"task": postgraphile}}),
                (Dialects.REST, graphql),
            )
        }
        assert len(words) == 1

    @pytest.mark.parametrize(
        ("dialect", "answer"),
        [
            (Dialects.OURS, {"errors": [{"message": "no"}]}),
            (Dialects.OURS, {"data": {"updateTaskStatus": {"task": None, "userErrors": [{"code": "FORBIDDEN"}]}}}),
            (Dialects.GRAPHQL, {"data": None, "errors": [{"message": "no"}]}),
            (Dialects.REST, {"detail": "no"}),
        ],
    )
    def test_a_refusal_is_not_measured(self, dialect: Dialects, answer: object):
        """The time of an error does not count."""
        with pytest.raises(ValueError, match=r"no|FORBIDDEN"):
            dialect.value.plain(Workload.W3, answer)

    @pytest.mark.parametrize("dialect", list(Dialects))
    @pytest.mark.parametrize("workload", list(Workload))
    def test_every_request_can_be_sent_to_every_peer(self, dialect: Dialects, workload: Workload):
        """A request fits on one line of the generator's file."""
        request = dialect.value.request(workload, cases(workload, TASKS)[0])
        assert "\n" not in request.body
        assert "\t" not in request.path + request.body
