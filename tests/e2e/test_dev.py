"""`taskriver dev` as a newcomer meets it: an empty folder, one command, and Ctrl-C."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.demo_data import PASSWORD, USERS
from cli.demo_projects import PROJECTS
from tests.embedded.conftest import copy_folder, ordinary, packages, public  # noqa: F401 - fixtures
from tests.embedded.environment import PROJECT, User, owner, survivors
from tests.support.processes import Dev
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected

LOGIN = """mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }"""
CREATE = """mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }"""
TITLES = "query ($search: String) { tasks(first: 1, filter: {search: $search}) { totalCount } }"

Start = Callable[..., Dev]

TASKS = 240 + sum(1 + len(task.subtasks) for project in PROJECTS for task in project.tasks)
"""The tasks of the demo data: personal ones, and those of the projects with their subtasks."""


@pytest.fixture
def dev() -> Iterator[Start]:
    """Starts `taskriver dev` in a folder; ends it when the test is over."""
    started: list[Dev] = []

    def start(folder: Path, **options: Any) -> Dev:
        started.append(Dev(folder, **options))
        return started[-1]

    yield start
    for each in started:
        each.clean_up()


@dataclass(frozen=True)
class FirstStart:
    """A first start that is over: its folder, what it printed, and how many tasks it served."""

    folder: Path
    port: int
    out: str
    tasks: int


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstStart]:
    """A first start in a folder whose path has a space, ended by Ctrl-C; later tests use its data."""
    folder = tmp_path_factory.mktemp("dev") / "my first try"
    folder.mkdir()
    command = Dev(folder)
    try:
        command.serves()
        tasks = total(command)
        create(command, "Keep me")
        yield FirstStart(folder, command.port, command.stops(signal.SIGINT, group=True), tasks)
    finally:
        command.clean_up()


def ask(command: Dev, query: str, token: str | None = None, **variables: Any) -> Any:
    """The data of an answer."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = {"query": query, "variables": variables}
    answer = httpx.post(f"{command.url}/graphql", json=body, headers=headers, timeout=HANG_SECONDS).json()
    assert "errors" not in answer, answer
    return answer["data"]


def sign_in(command: Dev, name: str = "admin") -> str:
    """An access token of a demo user."""
    return str(ask(command, LOGIN, input={"username": name, "password": PASSWORD})["login"]["accessToken"])


def create(command: Dev, title: str) -> None:
    """Create a task."""
    assert ask(command, CREATE, sign_in(command), input={"title": title})["createTask"]["userErrors"] == []


def total(command: Dev, search: str | None = None) -> int:
    """How many tasks there are with this in them."""
    return int(ask(command, TITLES, sign_in(command), search=search)["tasks"]["totalCount"])


class TestFirstStart:
    def test_the_output_explains_the_next_steps(self, first: FirstStart):
        """What happens, which URL to open, how to sign in and how to stop; nothing else."""
        place = f"127.0.0.1:{first.port}"
        command = os.path.relpath(Path(sys.executable).with_name("taskriver"), first.folder)
        assert first.out == "\n".join(
            [
                "",
                "  Starting PostgreSQL and Valkey …",
                "  Creating the demo data …",
                "",
                "  Taskriver is running.",
                "",
                f"    Start page     http://{place}/",
                f"    GraphQL        http://{place}/graphql   (in a browser: GraphiQL)",
                f"    Board          http://{place}/board",
                f"    Account        http://{place}/account",
                f"    REST API       http://{place}/docs",
                f"    Subscriptions  ws://{place}/graphql   (graphql-transport-ws)",
                f"    Health         http://{place}/readyz",
                f"    Command line   {command} --help",
                "",
                f"  Users: {', '.join(USERS)}. Password of all users: {PASSWORD}",
                "  The data are stored in .taskriver. Press Ctrl-C to stop.",
                "",
                "  Stopping …",
                "  Stopped.",
                "",
            ]
        )

    def test_there_are_hundreds_of_tasks(self, first: FirstStart):
        """They fill several pages."""
        assert first.tasks == TASKS

    def test_only_its_own_folder_is_touched(self, first: FirstStart):
        """All files are in .taskriver, which other users cannot read."""
        assert [each.name for each in first.folder.iterdir()] == [".taskriver"]
        assert (first.folder / ".taskriver").stat().st_mode & 0o777 == 0o700


class TestNextStart:
    def test_two_servers_run_at_the_same_time(self, first: FirstStart, dev: Start, tmp_path: Path):
        """A second start uses its own existing data, also beside a copy; SIGTERM ends it in order."""
        copy_folder(first.folder / ".taskriver", tmp_path / ".taskriver")
        one = dev(first.folder).serves()
        other = dev(tmp_path).serves()
        create(one, "Only here")

        assert (total(one, "Keep me"), total(other, "Keep me")) == (1, 1)
        assert (total(one, "Only here"), total(other, "Only here")) == (1, 0)
        assert "demo data" not in one.stops(signal.SIGTERM) + other.stops(signal.SIGTERM)

    def test_a_folder_in_use_is_refused(self, first: FirstStart, dev: Start):
        """The message names the process that uses it."""
        running = dev(first.folder).serves()

        assert f"(process {running.process.pid}) is using" in dev(first.folder).refuses()
        running.stops(signal.SIGINT)

    def test_open_sockets_do_not_delay_the_shutdown(self, first: FirstStart, dev: Start):
        """Ctrl-C closes sockets with 1012."""
        command = dev(first.folder).serves()

        assert asyncio.run(self._stopped_while_listening(command)) == 1012
        assert command.complaints == []

    def test_after_a_sigkill_nothing_is_left(self, first: FirstStart, dev: Start):
        """No process remains after some seconds, and the next start succeeds."""
        victim = dev(first.folder).serves()
        create(victim, "Before the end")
        people = victim.family()
        assert len(people) > 5
        victim.send(signal.SIGKILL)
        victim.ends()

        heir = dev(first.folder).serves()
        assert survivors(people) == []
        assert total(heir, "Before the end") == 1
        heir.stops(signal.SIGTERM)

    async def _stopped_while_listening(self, command: Dev) -> int:
        token = await asyncio.to_thread(sign_in, command)
        async with connected(command.url) as listener:
            await listener.init({"token": token})
            await listener.subscribe("1", "subscription { taskChanged { cursor } }")
            command.send(signal.SIGINT)
            code, _ = await listener.closed()
        assert await asyncio.to_thread(command.ends) == 0
        return code


class TestInterrupted:
    def test_ctrl_c_at_every_stage_of_the_first_start(self, dev: Start, tmp_path: Path):
        """It stops without extra output, and a later start completes the setup."""
        stages = [
            ("Starting", 0.0, signal.SIGINT),
            ("Starting", 0.2, signal.SIGTERM),
            ("demo data", 0.0, signal.SIGTERM),
        ]
        for stage, seconds, number in stages:
            command = dev(tmp_path)
            command.prints(stage)
            time.sleep(seconds)
            output = command.stops(number, group=number == signal.SIGINT)
            assert output.endswith("Stopped.\n")
            assert "running" not in output
        killed = dev(tmp_path)
        killed.prints("demo data")
        people = killed.family()
        killed.send(signal.SIGKILL)
        killed.ends()

        last = dev(tmp_path).serves()
        assert survivors(people) == []
        assert total(last) == TASKS
        last.stops(signal.SIGTERM)

    @pytest.mark.parametrize("seconds", [0.15, 0.5])
    def test_ctrl_c_before_the_start(self, dev: Start, tmp_path: Path, seconds: float):
        """While Python loads, a signal ends it without a traceback."""
        command = dev(tmp_path)
        time.sleep(seconds)
        command.send(signal.SIGINT)

        assert command.ends() in (-signal.SIGINT, 0)
        assert command.err == ""


class TestRefusals:
    def test_a_port_in_use_is_reported(self, dev: Start, tmp_path: Path):
        """In one line, before anything is started."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            command = dev(tmp_path, port=port)

            assert f"Port {port} is in use: " in command.refuses()
        assert command.out == ""
        assert list(tmp_path.iterdir()) == []

    def test_a_file_named_taskriver_is_reported(self, dev: Start, tmp_path: Path):
        """In one line."""
        (tmp_path / ".taskriver").touch()

        assert ".taskriver cannot be used" in dev(tmp_path).refuses()


@pytest.fixture(scope="module")
def everything(public: Path) -> Path:  # noqa: F811
    """The product and its packages, readable by all users."""
    target = public / "everything"
    site = next(Path(each) for each in sys.path if (Path(each) / "strawberry").is_dir())
    # Links cost nothing; they need one file system.
    if subprocess.run(["cp", "-Rl", site, target], capture_output=True, check=False).returncode != 0:
        subprocess.run(["cp", "-R", site, target], check=True)
    built = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for package in built["packages"]:
        subprocess.run(["cp", "-R", PROJECT / package, target], check=True)
    return target


@pytest.fixture
def at_home(first: FirstStart, ordinary: User, public: Path) -> Path:  # noqa: F811
    """A folder of the ordinary user, where there was a first start."""
    folder = Path(tempfile.mkdtemp(dir=public))
    copy_folder(first.folder / ".taskriver", folder / ".taskriver")
    if ordinary.account:
        account = f"{ordinary.account['user']}:{ordinary.account['group']}"
        subprocess.run(["chown", "-R", account, folder], check=True)
    return folder


class TestOtherUser:
    def test_an_ordinary_user_can_run_it(
        self,
        dev: Start,
        ordinary: User,  # noqa: F811
        at_home: Path,
        public: Path,  # noqa: F811
        everything: Path,
    ):
        """It runs as the current user; a folder without write permission is reported in one line."""
        known: dict[str, Any] = {"PYTHONPATH": everything, **ordinary.environment}
        own = dev(at_home, python=ordinary.python, account=ordinary.account, **known).serves()
        assert total(own, "Keep me") == 1
        assert {owner(pid) for pid, _ in own.family()} == {at_home.stat().st_uid}
        own.stops(signal.SIGTERM)

        elsewhere = Path(tempfile.mkdtemp(dir=public))
        elsewhere.chmod(0o555)
        refused = dev(elsewhere, python=ordinary.python, account=ordinary.account, **known)
        assert "cannot be used (Permission denied): choose a folder that you own" in refused.refuses()
