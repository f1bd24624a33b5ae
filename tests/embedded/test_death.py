"""However the program ends, its servers end, too, and the next run succeeds."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded import watchdog
from tests.embedded.environment import Run, kill, ping, processes_of, query, remember, remembers, survivors
from tests.support.waiting import HANG_SECONDS

Start = Callable[..., Run]

# A program that forks, as servers with worker processes do: its child holds every open file of its parent.
_FORKING = """
import os, sys, time
from pathlib import Path
from embedded import running

with running(Path(sys.argv[1]), durable=False) as servers:
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    print(f"DATABASE_URL={servers.database_url}\\nREDIS_URL={servers.redis_url}", flush=True)
    time.sleep(60)
"""


def recorded(folder: Path, server: str) -> int:
    """The process id of a server."""
    return int((folder / server / "process").read_text().split()[0])


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_all_processes(self, run: Start, folder: Path, number: int) -> None:
        """The program ends in order."""
        program = run(folder).ready()

        assert program.end(number) == 0
        assert survivors(program.processes, 0) == []

    def test_ctrl_c_reaches_only_the_program(self, run: Start, folder: Path) -> None:
        """Ctrl-C goes to a process group without the servers; their parent stops them in order."""
        program = run(folder).ready()

        os.killpg(program.process.pid, signal.SIGINT)

        assert program.process.wait(HANG_SECONDS) == 0
        assert survivors(program.processes, 0) == []
        log = (folder / "postgres" / "log").read_text()
        assert "received fast shutdown request" in log
        assert log.strip().endswith("database system is shut down")


class TestKilled:
    def test_nothing_outlives_the_program(self, run: Start, folder: Path) -> None:
        """After a SIGKILL its servers and watchdogs end within seconds."""
        program = run(folder).ready()
        assert len(program.processes) > 5

        program.end(signal.SIGKILL)

        assert survivors(program.processes) == []

    def test_committed_data_survive(self, run: Start, folder: Path) -> None:
        """The next run starts while the watchdogs still work, and finds the data."""
        first = run(folder).ready()
        memory = remember(first.database_url)
        first.end(signal.SIGKILL)

        second = run(folder).ready()

        assert remembers(second.database_url, memory)
        assert survivors(first.processes, 0) == []

    def test_a_forked_child_does_not_keep_the_servers(self, run: Start, folder: Path) -> None:
        """A fork of the program inherits the pipes of the watchdogs; the servers end nevertheless."""
        program = run("-c", _FORKING, folder).ready()
        pids = [recorded(folder, name) for name in ("postgres", "valkey")]
        servers = [(pid, watchdog.identity(pid)) for pid in pids]

        program.end(signal.SIGKILL)

        assert survivors(servers) == []

    @pytest.mark.parametrize("instant", [0.15, 0.35, 0.6])
    def test_a_kill_at_any_time_of_the_first_start(self, run: Start, tmp_path: Path, instant: float) -> None:
        """No process is left, and the next start succeeds."""
        first = run(tmp_path)
        time.sleep(instant + random.uniform(0, 0.1))
        processes = processes_of(first.process.pid)
        first.end(signal.SIGKILL)
        assert survivors(processes) == []

        second = run(tmp_path).ready()

        assert query(second.database_url, "SELECT 1") == 1
        assert not list(tmp_path.glob("postgres.new-*"))

    def test_a_kill_of_all_processes(self, run: Start, folder: Path) -> None:
        """As in a power failure; the next run recovers."""
        first = run(folder).ready()
        memory = remember(first.database_url)
        kill(first.processes)
        assert first.process.wait(HANG_SECONDS) == -signal.SIGKILL

        second = run(folder).ready()

        assert remembers(second.database_url, memory)
        assert ping(second.redis_url)

    def test_servers_without_watchdogs(self, run: Start, folder: Path) -> None:
        """Servers that outlive program and watchdogs are ended by the next run, which then starts."""
        first = run(folder).ready()
        servers = [recorded(folder, name) for name in ("postgres", "valkey")]
        orphans = [process for pid in servers for process in processes_of(pid)]
        # The youngest first: a watchdog that saw the program die would still do its work.
        kill([process for process in sorted(first.processes, reverse=True) if process not in orphans])
        first.process.wait(HANG_SECONDS)
        assert survivors(orphans, 0.5) != []

        second = run(folder).ready()

        assert survivors(orphans, 0) == []
        assert query(second.database_url, "SELECT 1") == 1

    def test_a_stale_lock_file_with_a_reused_process_number(self, run: Start, folder: Path) -> None:
        """It has no effect if the number belongs to another process."""
        first = run(folder).ready()
        lock = folder / "postgres" / "data" / "postmaster.pid"
        text = lock.read_text()
        kill(first.processes)
        first.process.wait(HANG_SECONDS)
        lock.write_text(text.replace(text.split("\n")[0], str(os.getpid()), 1))

        second = run(folder).ready()

        assert query(second.database_url, "SELECT 1") == 1
