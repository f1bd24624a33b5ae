"""The scenarios in short: what a busy machine may slow down is not judged, what is answered is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from benchmarks.environment import Stage, stage
from benchmarks.workloads import Workload, cases
from observability.metrics import WRITE_SECONDS
from tests.load import figures, generator_delay, server_times
from tests.load.figures import Figures
from tests.load.highest import highest
from tests.load.moves import LISTEN, LISTEN_WITH_PEOPLE, measure
from tests.load.run import Scenario, Target, before_file, delay_file, ours, put_under_load
from tests.load.server_times import COMMIT_TO_WRITE

STATS = """\
Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,\
Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%
GET,list of tasks,10,1,4,5.5,1,80.2,100,2.5,0.25,4,5,6,7,8,9,10,11,80,80,80
,Aggregated,10,1,4,5.5,1,80.2,100,2.5,0.25,4,5,6,7,8,9,10,11,80,80,80
"""
MAX_RUNS = 5
OFTEN = {"a task", "create a task", "receive a change", "list tasks", "list tasks, REST", "move a task"}
"""What is bound to happen within a few seconds; the rest happens now and then."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Databases with a few thousand tasks."""
    with stage(tmp_path_factory.mktemp("load"), 2_000, pinned=False) as ground:
        yield ground


@pytest.fixture(scope="module")
def target(ground: Stage) -> Iterator[Target]:
    """A server."""
    with ours(ground, 1) as server:
        yield server


class TestScenarios:
    def test_the_documented_scenario_succeeds(self, target: Target, tmp_path: Path):
        """Every request succeeds, and a report is written."""
        for number in range(MAX_RUNS):  # a busy machine may answer nothing within the seconds of one run
            out = tmp_path / f"documented{number}"
            found = put_under_load(target, Scenario("documented", 10, 10, 5), out)
            assert found.failures == 0
            if found.requests >= 10:
                break
        assert found.requests >= 10
        assert found.memory > 10
        assert out.with_suffix(".html").stat().st_size > 10_000

    def test_the_mixed_scenario_succeeds(self, target: Target, tmp_path: Path):
        """Every operation succeeds, and listeners receive the changes."""
        seen: set[str] = set()
        for number in range(MAX_RUNS):  # users choose at random, and a busy machine serves few of them in one run
            out = tmp_path / f"mixed{number}"
            put_under_load(target, Scenario("mixed", 6, 10, 8, subscribers=3), out)
            counted = figures.read_all(tmp_path / f"mixed{number}_stats.csv")
            assert {each.title: each.failures for each in counted if each.failures} == {}
            seen |= {each.title for each in counted}
            if seen >= OFTEN:
                break
        assert seen >= OFTEN
        assert generator_delay.load(delay_file(out)).requests > 0
        written = server_times.read(target.metrics_port).since(server_times.load(before_file(out)))
        assert sum(written.counts) > 0

    @pytest.mark.parametrize("listen", [LISTEN, LISTEN_WITH_PEOPLE])
    def test_moves_are_delivered_to_all_subscribers(self, target: Target, ground: Stage, listen: str):
        """Each move is measured three times: by its sender, by the server, and by its receivers."""
        tasks = ground.tasks[:1_000] if listen == LISTEN else ground.tasks[1_000:]  # each move must be a change
        requests = [target.peer.dialect.value.request(each) for each in cases(Workload.W3, tasks)]
        rows, used = uvloop.run(measure(target, requests, rate=20, seconds=3, listen=listen, subscribers=2))
        found = {each.title: each for each in rows}
        assert found["move a task"].failures == 0
        assert found["move a task"].requests > 0
        assert found["receive a change, since its start"].requests > 0
        assert found[COMMIT_TO_WRITE].requests > 0
        assert used > 0


HISTOGRAM = """\
# TYPE taskriver_event_write_seconds histogram
taskriver_event_write_seconds_bucket{le="0.1"} 90.0
taskriver_event_write_seconds_bucket{le="0.2"} 100.0
taskriver_event_write_seconds_bucket{le="+Inf"} 100.0
taskriver_event_write_seconds_count 100.0
taskriver_event_write_seconds_sum 6.0
"""


class TestServerTimes:
    def test_quantiles_are_interpolated(self):
        """As Prometheus does: within the bucket in which they lie."""
        found = server_times.parsed(HISTOGRAM, WRITE_SECONDS)
        assert [found.quantile(share) for share in (0.45, 0.95, 1.0)] == pytest.approx([0.05, 0.15, 0.2])
        row = server_times.figures(found, seconds=10)
        assert (row.requests, row.rate) == (100, 10)
        assert row.average == pytest.approx(60)

    def test_earlier_durations_do_not_count(self):
        """Only those since the first reading."""
        before = server_times.parsed(HISTOGRAM, WRITE_SECONDS)
        after = server_times.parsed(HISTOGRAM.replace("100.0", "110.0").replace("6.0", "7.5"), WRITE_SECONDS)
        assert after.since(before).counts == [0, 10, 0]
        assert after.since(before).sum == pytest.approx(1.5)


class TestFigures:
    def test_figures_of_locust_are_read(self, tmp_path: Path):
        """A row of its table becomes figures of the same names."""
        file = tmp_path / "stats.csv"
        file.write_text(STATS)
        found = figures.read(file, "here")
        assert found == Figures("here", 10, 1, average=5.5, p50=4, p95=9, p99=11, longest=80.2, rate=2.5)
        assert found.share_of_failures == pytest.approx(0.1)

    def test_the_table_has_straight_columns(self):
        """Every line of the table is read below the headings."""
        lines = figures.table([figures.HEADINGS, figures.DOCUMENTED]).splitlines()
        assert lines[0].index("average") + len("average") == lines[1].index("11 ms") + len("11 ms")


class TestHighest:
    @pytest.mark.parametrize("limit", [9, 30, 100, 500])
    def test_the_highest_rate_is_near_the_capacity(self, limit: int):
        """It is never more."""
        found = highest(serving_up_to(limit))
        assert found is not None
        assert limit * 0.88 <= found.requests <= limit

    def test_a_server_that_is_always_overloaded_has_no_highest_rate(self):
        """Even a few clients are too many."""
        assert highest(serving_up_to(1)) is None

    def test_failures_and_missing_responses_are_overload(self):
        """However fast the others are."""
        assert highest(lambda users: replace(serving_up_to(100)(users), failures=1)) is None
        assert highest(lambda users: replace(serving_up_to(100)(users), rate=users)) is None


def serving_up_to(limit: int) -> Callable[[int], Figures]:
    """A server that is fast up to a number of clients, and slow for more; its `requests` count them."""

    def attempt(users: int) -> Figures:
        p95 = 10.0 if users <= limit else 400.0
        return Figures("", users, 0, average=1, p50=1, p95=p95, p99=p95, longest=p95, rate=users * 10)

    return attempt
