"""Single servers, and the faults that tests may inject."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from embedded import EmbeddedError
from embedded.postgres import Postgres
from embedded.valkey import Valkey
from tests.embedded.conftest import copy_folder
from tests.embedded.environment import ping, processes_of, query, remember, remembers, survivors
from tests.support.waiting import HANG_SECONDS


@pytest.fixture(scope="module")
def postgres(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A disposable PostgreSQL."""
    copy = copy_folder(folder, tmp_path_factory.mktemp("faults") / "data")
    with Postgres(copy / "postgres", durable=False) as server:
        yield server


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A disposable Valkey."""
    with Valkey(tmp_path / "valkey") as server:
        yield server


class TestPostgres:
    def test_killed_and_started_again(self, postgres: Postgres) -> None:
        """After a kill nothing runs; after a start the data are there, at the same URL."""
        url, processes = postgres.url, processes_of(postgres.pid)
        memory = remember(url)

        postgres.kill()
        assert survivors(processes) == []
        postgres.start()

        assert postgres.url == url
        assert remembers(url, memory)

    def test_ended_by_itself_and_started_again(self, postgres: Postgres) -> None:
        """As after a full disk; its watchdog ends, too."""
        url, child = postgres.url, postgres._child
        assert child is not None
        memory = remember(url)
        os.kill(postgres.pid, signal.SIGQUIT)
        assert child.wait(HANG_SECONDS)
        postgres.start()

        assert remembers(url, memory)
        assert child._watchdog.returncode is not None

    @pytest.mark.parametrize("mode", ["fast", "immediate"])
    def test_stopped_and_started_again(self, postgres: Postgres, mode: str) -> None:
        """Both ways to stop leave nothing running and lose no data."""
        processes = processes_of(postgres.pid)

        postgres.stop("immediate" if mode == "immediate" else "fast")
        postgres.stop()

        assert survivors(processes, 0) == []
        postgres.start()
        assert query(postgres.url, "SELECT 1") == 1

    def test_frozen_and_thawed(self, postgres: Postgres) -> None:
        """A frozen server does not answer, and continues when it is thawed."""
        answers: list[int] = []
        client = threading.Thread(target=lambda: answers.append(query(postgres.url, "SELECT 1")))

        postgres.freeze()
        client.start()
        client.join(0.5)
        assert answers == []
        postgres.thaw()
        client.join(HANG_SECONDS)

        assert answers == [1]

    def test_frozen_and_stopped(self, postgres: Postgres) -> None:
        """A frozen server can be stopped in order, without SIGKILL."""
        postgres.freeze()
        postgres.stop()

        assert "database system is shut down" in postgres.log.read_text()
        postgres.start()

    def test_a_database_from_a_template(self, postgres: Postgres) -> None:
        """A copy has the content of its template, whatever its name."""
        template = postgres.create_database("template of ours")
        query(template.replace(" ", "%20"), "CREATE TABLE copied AS SELECT 42 AS answer", "SELECT 1")

        copy = postgres.create_database("copy", template="template of ours")

        assert query(copy, "SELECT answer FROM copied") == 42

    def test_an_existing_database_is_reported(self, postgres: Postgres) -> None:
        """With the message of the server."""
        with pytest.raises(EmbeddedError, match='database "taskriver" already exists'):
            postgres.create_database("taskriver")

    def test_started_twice(self, postgres: Postgres) -> None:
        """A running server is not started again."""
        with pytest.raises(EmbeddedError, match="is already running"):
            postgres.start()


class TestValkey:
    def test_killed_and_started_again(self, valkey: Valkey) -> None:
        """After a kill it does not answer; after a start the URL is the same and the data are gone."""
        with redis.Redis.from_url(valkey.url) as client:
            client.set("forgotten", 1)
        url = valkey.url

        valkey.kill()
        with pytest.raises(redis.ConnectionError):
            ping(url)
        valkey.start()

        assert valkey.url == url
        with redis.Redis.from_url(url) as client:
            assert client.get("forgotten") is None

    def test_frozen_and_thawed(self, valkey: Valkey) -> None:
        """A frozen server does not answer until it is thawed."""
        valkey.freeze()
        with redis.Redis.from_url(valkey.url, socket_timeout=0.3) as client, pytest.raises(redis.TimeoutError):
            client.ping()
        valkey.thaw()

        assert ping(valkey.url)


class TestPorts:
    def test_a_port_that_is_briefly_in_use(self, valkey: Valkey) -> None:
        """A restarted server waits for its old port, because its clients know no other."""
        url, port = valkey.url, valkey.port
        valkey.stop()
        with socket.create_server(("127.0.0.1", port)) as squatter:
            release = threading.Timer(0.5, squatter.close)
            release.start()
            valkey.start()
            release.join()

        assert valkey.url == url
        assert ping(url)

    def test_a_port_that_stays_in_use(self, tmp_path: Path) -> None:
        """A later run uses another port."""
        with Valkey(tmp_path / "valkey") as first:
            port = first.port

        with socket.create_server(("127.0.0.1", port)), Valkey(tmp_path / "valkey") as second:
            assert second.port != port
            assert ping(second.url)

    def test_the_url_of_a_server_that_was_not_started(self, tmp_path: Path) -> None:
        """It raises an error that says so."""
        with pytest.raises(EmbeddedError, match="has not been started"):
            _ = Valkey(tmp_path / "valkey").url
