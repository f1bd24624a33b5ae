"""Tests the metrics, the alert rules and the dashboard with a real Prometheus: `make monitoring-check`.

It runs the tests of the rules; then Prometheus scrapes two worker processes under a small load for half a minute; then
it queries each rule and each expression of the dashboard over the API of Prometheus. Everything is on the loopback
interface, in a temporary folder. With --screenshots it makes a picture of the graph page of Prometheus with the browser
CHROMIUM.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import websockets

import embedded
from embedded.ports import free_port

ROOT: Final = Path(__file__).parents[1]
PROMETHEUS: Final = ROOT / "monitoring/prometheus"
DASHBOARD: Final = ROOT / "monitoring/grafana/dashboards/taskriver.json"
BLOCKS: Final = "▁▂▃▄▅▆▇█"
MISSING: Final = (
    "Install Prometheus 2.42 or newer first: apt-get install prometheus, or prometheus and promtool on the PATH."
)

QUIET: Final = {  # these have no samples in half a minute without problems
    "taskriver_throttled_total", "taskriver_revocation_seconds", "taskriver_resyncs_total", "ALERTS",
    "taskriver:errors:ratio5m",
}  # fmt: skip


def main() -> int:
    """Run the checks; the exit code is 0 if all pass."""
    parser = argparse.ArgumentParser(description="Test metrics, alert rules and dashboard with Prometheus.")
    parser.add_argument("--seconds", type=int, default=30, help="duration of the load (30)")
    parser.add_argument("--screenshots", type=Path, help="a folder for a picture of the graph page")
    options = parser.parse_args()
    if not shutil.which("promtool") or not shutil.which("prometheus"):
        print(MISSING)
        return 1
    for what in (
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "rules.yml"],
        ["test", "rules", "rules_test.yml"],
    ):
        subprocess.run(["promtool", *what], cwd=PROMETHEUS, check=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        Path(folder).chmod(0o755)  # PostgreSQL may be another user
        servers = stack.enter_context(embedded.running(Path(folder) / "servers", database_url=None, redis_url=None))
        api, metrics, asked = (free_port(None) for _ in range(3))
        stack.enter_context(_served(servers, api, metrics))
        stack.enter_context(_scraped(Path(folder), metrics, asked))
        print(f"\nLoad for {options.seconds} s …")
        asyncio.run(_load(f"http://127.0.0.1:{api}", options.seconds))
        time.sleep(3)
        problems = _look(f"http://127.0.0.1:{asked}", options.seconds)
        if options.screenshots is not None:
            _picture(f"http://127.0.0.1:{asked}", options.screenshots)
        return 1 if problems else 0


@contextlib.contextmanager
def _served(servers: Any, port: int, metrics: int) -> Iterator[None]:
    settings = {
        "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url, "PORT": str(port),
        "METRICS_PORT": str(metrics), "WORKERS": "2", "BCRYPT_ROUNDS": "4", "LOG_LEVEL": "warning",
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "cli"]
    subprocess.run([*command, "migrate"], env=settings, check=True)
    with _running([*command, "serve"], f"http://127.0.0.1:{port}/readyz", env=settings):
        yield


@contextlib.contextmanager
def _scraped(folder: Path, metrics: int, port: int) -> Iterator[None]:
    """Run Prometheus with the files of this repository, with another address and shorter intervals."""
    shutil.copy(PROMETHEUS / "rules.yml", folder)
    config = (PROMETHEUS / "prometheus.yml").read_text()
    config = config.replace("api:9100", f"127.0.0.1:{metrics}").replace(": 15s", ": 1s")
    (folder / "prometheus.yml").write_text(config)
    command = [
        "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with _running(command, f"http://127.0.0.1:{port}/-/ready", cwd=folder):
        yield


@contextlib.contextmanager
def _running(command: list[str], ready: str, **options: Any) -> Iterator[None]:
    with subprocess.Popen(command, **options) as process:
        try:
            for _ in range(300):
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(ready).status_code == 200:
                        break
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


async def _load(url: str, seconds: int) -> None:
    """A few clients that change tasks, and one subscriber; some of the requests are refused."""
    async with httpx.AsyncClient(base_url=url) as client:
        credentials = {"username": "monitor", "password": "Correct-horse1"}
        await _ask(client, _REGISTER, input=credentials | {"email": "monitor@example.org"})
        token = (await _ask(client, _LOGIN, input=credentials))["login"]["accessToken"]
        client.headers["authorization"] = f"Bearer {token}"
        async with websockets.connect(
            url.replace("http", "ws", 1) + "/graphql", subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"token": token}}))
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": _LISTEN}}))
            receiving = asyncio.create_task(_receive(socket))
            await asyncio.gather(*(_work(client, number, seconds) for number in range(3)))
            receiving.cancel()


async def _work(client: httpx.AsyncClient, number: int, seconds: int) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await _ask(client, _CREATE, input={"title": f"Task of {number}"})
        for _ in range(3):
            await _ask(client, _BOARD)
        await _ask(client, "query Wrong { nothing }")
        await client.get("/api/v1/tasks/")
        await asyncio.sleep(0.1)


async def _receive(socket: Any) -> None:
    async for message in socket:
        if json.loads(message)["type"] == "ping":
            await socket.send('{"type": "pong"}')


async def _ask(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    return answer.json().get("data")


def _look(url: str, seconds: int) -> int:
    """Print the results; returns the number of problems."""
    problems = [*_unhealthy(url), *_unanswered(url)]
    for name, expression in _SHOWN.items():
        print(f"  {name:<28}{_curve(url, expression, seconds)}")
    print("\n".join(problems) or "All rules are evaluated, and all expressions have results.")
    return len(problems)


def _unhealthy(url: str) -> Iterator[str]:
    for target in _get(url, "targets")["activeTargets"]:
        if target["health"] != "up":
            yield f"not scraped: {target['lastError']}"
    for rule in _get(url, "rules")["groups"][0]["rules"]:
        if rule["health"] != "ok":
            yield f"rule {rule['name']}: {rule.get('lastError')}"
        if rule.get("state") == "firing":
            yield f"alert {rule['name']} fires without a problem"


def _unanswered(url: str) -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            if target["datasource"]["type"] != "prometheus":
                continue
            expression = target["expr"].replace("$__rate_interval", "30s")
            found = _get(url, "query", query=expression)["result"]
            if not found and not any(name in expression for name in QUIET):
                yield f"panel {panel['title']!r} is empty: {expression}"


def _curve(url: str, expression: str, seconds: int) -> str:
    """A text graph of the time of the load."""
    now = time.time()
    [series] = _get(url, "query_range", query=expression, start=now - seconds, end=now, step=1)["result"]
    values = [float(value) for _, value in series["values"]]
    top = max((value for value in values if math.isfinite(value)), default=0.0) or 1.0
    # The quantile of an empty set is NaN.
    steps = (BLOCKS[round(value / top * (len(BLOCKS) - 1))] if math.isfinite(value) else " " for value in values)
    return "".join(steps) + f"  up to {top:.4g}"


def _picture(url: str, folder: Path) -> None:
    """Make a picture of the graph page of Prometheus."""
    folder.mkdir(parents=True, exist_ok=True)
    graphs = {
        f"g{number}.{key}": value
        for number, name in enumerate(_PICTURED)
        for key, value in {"expr": _SHOWN[name], "tab": "0", "range_input": "1m"}.items()
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        subprocess.run(
            [
                os.environ.get("CHROMIUM", "chromium"),
                *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
                *("--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"),
                *("--window-size=1280,2300", "--virtual-time-budget=10000"),
                f"--screenshot={folder.resolve() / 'prometheus.png'}",
                f"{url}/graph?{httpx.QueryParams(graphs)}",
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )


def _get(url: str, what: str, **params: Any) -> Any:
    answer = httpx.get(f"{url}/api/v1/{what}", params=params).json()
    assert answer["status"] == "success", (params, answer)
    return answer["data"]


_REGISTER: Final = "mutation Join($input: RegisterInput!) { register(input: $input) { userErrors { message } } }"
_LOGIN: Final = "mutation Enter($input: LoginInput!) { login(input: $input) { accessToken } }"
_CREATE: Final = "mutation Write($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }"
_BOARD: Final = "query Board { tasks(first: 20) { totalCount nodes { title owner { username } } } }"
_LISTEN: Final = "subscription Listen { taskChanged { task { title } } }"

_SHOWN: Final = {
    "requests per second": "sum(rate(taskriver_requests_total[5s]))",
    "p95, seconds": "histogram_quantile(0.95, sum by (le) (rate(taskriver_request_seconds_bucket[5s])))",
    "events per second": "sum(rate(taskriver_events_delivered_total[5s]))",
    "event delivery, p95, seconds": (
        "histogram_quantile(0.95, sum by (le) (rate(taskriver_event_delivery_seconds_bucket[5s])))"
    ),
    "sockets": "taskriver_sockets",
    "lease, seconds": "taskriver_lease_age_seconds",
}
_PICTURED: Final = ("requests per second", "p95, seconds", "event delivery, p95, seconds")

if __name__ == "__main__":
    sys.exit(main())
