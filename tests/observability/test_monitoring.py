"""What an operator is given to watch Taskriver with asks for what there is."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from observability.histogram import BOUNDS, Histogram
from observability.metrics import METRICS, Metric, MetricKind, Snapshot, merge
from observability.metrics_files import MetricsFile, MetricsFolder
from observability.prometheus import listen
from observability.request_records import MAX_NAMES, OTHER, RequestRecords, record_operation
from tests.support.ports import reserved_port
from tests.support.waiting import HANG_SECONDS

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
RULES = yaml.safe_load((MONITORING / "prometheus/rules.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((MONITORING / "grafana/dashboards/taskriver.json").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
RULE_TESTS = yaml.safe_load((MONITORING / "prometheus/rules_test.yml").read_text())["tests"]
OPERATIONS = (ROOT / "docs/operations.md").read_text()

_NO_METRICS = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|ignoring|on)\s*\([^)]*\)')
_OPERATORS = {"and", "or", "unless", "bool"}


def expressions() -> Iterator[str]:
    """Every PromQL expression of the rules and of the dashboard."""
    yield from (rule["expr"] for rule in RULES)
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            if target["datasource"]["type"] == "prometheus":
                yield target["expr"]


def metrics_in(expression: str) -> set[str]:
    """The metrics in an expression: its words that are neither labels nor functions nor operators."""
    words = re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", _NO_METRICS.sub(" ", expression))
    return set(words) - _OPERATORS


def series() -> dict[str, set[str]]:
    """The labels of every series that a scrape has."""
    found: dict[str, set[str]] = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate"}}
    for metric in METRICS:
        suffixes = ("_bucket", "_count", "_sum") if metric.kind is MetricKind.HISTOGRAM else ("",)
        for suffix in suffixes:
            found[metric.name + suffix] = {*metric.labels, *(["le"] if suffix == "_bucket" else [])}
    return found | {rule["record"]: set() for rule in RULES if "record" in rule}


def sample(metric: Metric, value: int = 1) -> Any:
    """A number of each kind."""
    return ([value] * (len(BOUNDS) + 1), float(value)) if metric.kind is MetricKind.HISTOGRAM else float(value)


def snapshot(value: int = 1) -> Snapshot:
    """A process in which every metric has a value."""
    return {metric.name: {tuple("x" for _ in metric.labels): sample(metric, value)} for metric in METRICS}


class TestExpressions:
    def test_the_parser_of_this_test_sees_metrics(self):
        """It does, and nothing else."""
        text = (
            'sum by (le, code) (rate(some_total{code=~"A|B", x="y_z"}[5m])) / ignoring (le) other:ratio5m > 0.1 or up'
        )
        assert metrics_in(text) == {"some_total", "other:ratio5m", "up"}

    @pytest.mark.parametrize("expression", sorted(set(expressions())))
    def test_every_metric_in_rules_exists(self, expression: str):
        """In the code, or in the recording rules."""
        assert metrics_in(expression)
        assert metrics_in(expression) <= series().keys()

    @pytest.mark.parametrize("expression", sorted(set(expressions())))
    def test_their_labels_exist(self, expression: str):
        """What they select and group by are labels of the metrics that they name."""
        wanted = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', expression))
        for group in re.findall(r"\b(?:by|ignoring)\s*\(([^)]*)\)", expression):
            wanted |= {label.strip() for label in group.split(",")}
        assert wanted <= set[str]().union(*(series()[name] for name in metrics_in(expression)))

    def test_the_buckets_in_rules_exist(self):
        """As bounds of the histograms."""
        bounds = {bound for each in expressions() for bound in re.findall(r'\ble="([^"]+)"', each)}
        assert bounds <= {str(bound) for bound in BOUNDS}


class TestFiles:
    def test_the_dashboard_is_sound(self):
        """Every panel has an id of its own, a place that fits, and data sources that are provisioned."""
        sources = yaml.safe_load((MONITORING / "grafana/provisioning/datasources/taskriver.yml").read_text())
        known = {(each["type"], each["uid"]) for each in sources["datasources"]}
        ids = [panel["id"] for panel in DASHBOARD["panels"]]
        assert len(ids) == len(set(ids))
        for panel in DASHBOARD["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
            for target in panel.get("targets", ()):
                assert (target["datasource"]["type"], target["datasource"]["uid"]) in known
        assert DASHBOARD["uid"] == "taskriver"

    def test_ports_and_services_match(self):
        """Prometheus scrapes the port of the server, and Grafana and Alloy use existing services."""
        [job] = yaml.safe_load((MONITORING / "prometheus/prometheus.yml").read_text())["scrape_configs"]
        [target] = job["static_configs"][0]["targets"]
        environment = COMPOSE["api"]["environment"]
        assert target == f"api:{environment['METRICS_PORT']}"
        loki = yaml.safe_load((MONITORING / "loki/loki.yml").read_text())["server"]["http_listen_port"]
        written = (MONITORING / "grafana/provisioning/datasources/taskriver.yml").read_text()
        written += (MONITORING / "alloy/config.alloy").read_text()
        assert set(re.findall(r"http://(\w+):(\d+)", written)) == {("prometheus", "9090"), ("loki", str(loki))}
        assert {"prometheus", "loki", "alloy", "grafana"} <= COMPOSE.keys()

    def test_the_profile_is_isolated(self):
        """It starts only on request, from pinned images, publishes only Grafana, and cannot write to the project."""
        parts = {name: service for name, service in COMPOSE.items() if "profiles" in service}
        assert {name: service["profiles"] for name, service in parts.items()} == {
            name: ["observability"] for name in ("prometheus", "loki", "alloy", "grafana")
        }
        for name, service in parts.items():
            assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
            assert ("ports" in service) is (name == "grafana")
            assert service["read_only"] is True
            for volume in service["volumes"]:
                source, _, rest = volume.partition(":")
                assert not source.startswith((".", "/")) or rest.endswith(":ro")
                assert not source.startswith("./") or (ROOT / source).exists()

    def test_every_alert_is_documented(self):
        """docs/operations.md has a row for each alert, and no others."""
        alerts = [rule["alert"] for rule in RULES if "alert" in rule]
        assert re.findall(r"^\| `(Taskriver\w+)` \|", OPERATIONS, re.MULTILINE) == alerts
        assert all(rule["annotations"]["summary"] for rule in RULES if "alert" in rule)

    def test_every_alert_is_tested_both_ways(self):
        """For `promtool test rules` each alert has a case in which it comes, and one in which it does not."""
        alerts = {rule["alert"] for rule in RULES if "alert" in rule}
        comes, stays_away = set[str](), set[str]()
        for each in RULE_TESTS:
            for case in each.get("alert_rule_test", ()):
                (comes if case.get("exp_alerts") else stays_away).add(case["alertname"])
            for case in each.get("promql_expr_test", ()):
                comes |= {
                    name for sample in case["exp_samples"] for name in re.findall(r"Taskriver\w+", sample["labels"])
                }

        assert comes == stays_away == alerts

    def test_every_metric_is_in_the_table(self):
        """docs/operations.md has a row for each metric, in the order and words of the code."""
        kinds = {MetricKind.GREATEST: "gauge, the worst process"}
        rows = []
        for metric in METRICS:
            by = f" by {', '.join(f'`{label}`' for label in metric.labels)}" if metric.labels else ""
            rows.append(f"| `{metric.name}` | {kinds.get(metric.kind, metric.kind.value)}{by} | {metric.help} |")
        assert [line for line in OPERATIONS.splitlines() if line.startswith("| `taskriver_")] == rows


class TestAddingUp:
    def test_processes_are_added_up(self):
        """Counts, gauges and histograms are summed, but for gauges of which the worst process counts."""
        total: Snapshot = {}
        merge(total, snapshot(1))
        merge(total, snapshot(2))
        for metric in METRICS:
            [value] = total[metric.name].values()
            assert value == sample(metric, 2 if metric.kind is MetricKind.GREATEST else 3), metric.name

    def test_the_dead_leave_their_counts(self):
        """What has died does not hold sockets any more, yet what it counted stays counted."""
        total: Snapshot = {}
        merge(total, snapshot(), alive=False)
        for metric in METRICS:
            assert bool(total.get(metric.name)) is (metric.kind in (MetricKind.COUNTER, MetricKind.HISTOGRAM))

    def test_files_of_processes_are_summed(self, tmp_path: Path):
        """A process that closed its file leaves its counts, and no file."""
        living, gone = MetricsFile(tmp_path, lambda: snapshot(1)), MetricsFile(tmp_path, lambda: snapshot(2))
        living._try_write(0.0)
        gone.close()
        (tmp_path / "1-x.json").write_bytes(b"{")  # cut off
        folder = MetricsFolder(tmp_path)
        for _ in range(2):
            total = folder.read()
            assert total["taskriver_statements_total"] == {(): 3}
            assert total["taskriver_sockets"] == {(): 1}
        assert len(list(tmp_path.glob("*.json"))) == 2

    def test_a_full_disk_only_loses_metrics(self, tmp_path: Path, caplog: pytest.LogCaptureFixture):
        """The process reports it, and continues."""
        MetricsFile(tmp_path / "missing", snapshot)._try_write(0.0)
        assert "could not be written" in caplog.text


class TestExposition:
    def test_prometheus_understands_it(self):
        """What is answered is parsed again, every metric with its kind, its help and its numbers."""
        port = reserved_port()
        stop = listen("127.0.0.1", port, snapshot)
        try:
            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=HANG_SECONDS).read().decode()
        finally:
            stop()
        families = {family.name: family for family in text_string_to_metric_families(text)}
        for metric in METRICS:
            family = families[metric.name.removesuffix("_total")]
            assert family.documentation == metric.help
            assert {name for each in family.samples for name in each.labels} - {"le"} == set(metric.labels)
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=HANG_SECONDS)

    def test_a_histogram_adds_up(self):
        """Each duration is in the first bucket that it fits, bounds included, and beyond the last in the open one."""
        durations = Histogram()
        for seconds in (-1.0, 0.0, 0.001, 0.0011, 10.0, 10.1):
            durations.add(seconds)
        assert durations.buckets[:2] == [3, 1]
        assert durations.buckets[-2:] == [1, 1]
        assert durations.sum == pytest.approx(20.1021)


class TestLabels:
    @staticmethod
    def _ask(requests: RequestRecords, name: str | None, *, known: bool) -> None:
        asked = requests.begin("http", "x")
        with asked:
            record_operation(name, "query", known=known)
        asked.status = 200
        asked.end()

    def test_names_of_operations_are_bounded(self):
        """At most a hundred names of known documents become labels."""
        requests = RequestRecords()
        self._ask(requests, "First", known=False)
        for number in range(3 * MAX_NAMES):
            self._ask(requests, f"Name{number}", known=True)
        self._ask(requests, "Name0", known=False)
        self._ask(requests, None, known=True)
        requests.flush()

        names = {operation for _, operation, _ in requests.ended}
        assert len(names) == MAX_NAMES + 2
        assert requests.ended["http", OTHER, "OK"] == 1 + 2 * MAX_NAMES
        assert requests.ended["http", "Name0", "OK"] == 2
        assert requests.ended["http", "anonymous", "OK"] == 1
        assert len(requests.durations) == MAX_NAMES + 2

    def test_subscriptions_have_no_duration(self):
        """It would depend on the client only."""
        requests = RequestRecords()
        asked = requests.begin("ws", "x")
        with asked:
            record_operation("Listen", "subscription", known=True)
        asked.end()
        requests.flush()
        assert requests.ended == {("ws", "Listen", "CANCELLED"): 1}
        assert requests.durations == {}
