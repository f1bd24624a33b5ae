"""The list of commands, their help, and their error messages."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import embedded
from cli import commands
from embedded.postgres import Postgres
from persistence.database import Database
from persistence.schema_check import is_current
from tests.cli.conftest import CommandResult, Run
from tests.embedded.environment import PROJECT
from tests.support.builders import Builders
from tests.support.ports import closed_port
from tests.support.processes import Command, environment

COMMANDS = [
    ("dev",),
    ("serve",),
    ("migrate",),
    ("cleanup",),
    ("export-schema",),
    ("user",),
    ("user", "create"),
    ("user", "role"),
    ("user", "disable"),
    ("user", "enable"),
    ("user", "recover"),
    ("user", "delete"),
    ("service-account",),
    ("login",),
    ("logout",),
    ("project",),
    ("project", "list"),
    ("project", "create"),
    ("project", "members"),
    ("invitation",),
    ("invitation", "create"),
    ("invitation", "list"),
    ("invitation", "revoke"),
    ("access-token",),
    ("access-token", "list"),
    ("access-token", "create"),
    ("access-token", "revoke"),
    ("documents",),
    ("documents", "add"),
    ("documents", "list"),
    ("documents", "remove"),
    ("audit",),
    ("stream",),
    ("stream", "reset-epoch"),
    ("stream", "cursor-format"),
    ("watch",),
    ("verify-stream",),
    ("doctor",),
    ("token",),
    ("import",),
    ("export",),
    ("seed",),
    ("compat",),
    ("compat", "check"),
]


class TestHelp:
    def test_help_lists_every_command(self, run: Run):
        """Each command has one whole line, and nothing else precedes the list."""
        result = run("--help")

        listed = result.out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in listed] == list(commands.COMMANDS)
        assert all(line.endswith(".") and not line.endswith("...") for line in listed), listed
        bare = run()
        assert (bare.code, bare.out + bare.err) == (2, result.out)

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_each_command_has_help(self, run: Run, command: tuple[str, ...]):
        """Every command says what it does, and what each argument is."""
        result = run(*command, "--help")

        assert (result.code, result.err) == (0, "")
        assert result.out.startswith(f"Usage: taskriver {' '.join(command)} ")
        if len(command) == 1:
            assert result.out.split("\n\n")[1].strip() == commands.COMMANDS[command[0]][1]
        assert max(len(line) for line in result.out.splitlines()) <= 80
        assert "..." not in result.out.replace("[ARGS]...", "")

    def test_the_readme_has_the_same_list(self):
        """README's list of commands is the one that `--help` prints."""
        width = max(map(len, commands.COMMANDS))
        listed = [f"  {name:{width}}  {line}" for name, (_, line) in commands.COMMANDS.items()]
        assert "\n".join(["```", "$ taskriver --help", *listed, "```"]) in (PROJECT / "README.md").read_text()

    def test_every_command_is_tested_here(self):
        """No command is left out of these tests."""
        assert {command[0] for command in COMMANDS} == set(commands.COMMANDS)

    def test_a_mistyped_command_gets_a_suggestion(self, run: Run):
        """Exit code 2."""
        result = run("wach")

        assert (result.code, result.out) == (2, "")
        assert "Did you mean 'watch'?" in result.err

    def test_completion_imports_no_command(self):
        """Completion of a word does not import the packages of the product."""
        heavy = "{'sqlalchemy', 'strawberry', 'starlette', 'alembic', 'rich'}"
        code = f"import sys; from cli.commands import app; print({heavy} & set(sys.modules))"
        known = environment(_TASKRIVER_COMPLETE="complete_bash", COMP_WORDS="taskriver us", COMP_CWORD=1)

        assert self._out("-m", "cli", environment=known) == "user\n"
        assert self._out("-c", code, environment=environment()) == "set()\n"

    def _out(self, *arguments: str, environment: dict[str, str]) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
        return done.stdout


class TestMigrate:
    def test_concurrent_migrations_run_once(self, empty_database: Callable[[], str], tmp_path: Path, run: Run):
        """Replicas that start together on an empty database all succeed."""
        url = empty_database()
        known = environment(DATABASE_URL=url)
        replicas = [Command("migrate", folder=tmp_path, environment=known) for _ in range(3)]
        try:
            assert [each.ends() for each in replicas] == [0, 0, 0], [each.err for each in replicas]
            assert {each.out for each in replicas} == {"The database is up to date.\n"}
            waiting = "Another process is migrating this database. Waiting until it has finished.\n"
            assert {each.err for each in replicas} <= {"", waiting}
        finally:
            for each in replicas:
                each.clean_up()
        assert run("migrate", DATABASE_URL=url) == CommandResult(0, "The database is up to date.\n", "")
        assert asyncio.run(self._is_current(url))

    @pytest.mark.parametrize("pooler", ["none", "prepared", "unprepared"])
    def test_only_the_direct_connection_is_used(self, empty_database: Callable[[], str], run: Run, pooler: str):
        """If there is one: nothing answers at DATABASE_URL."""
        url = empty_database()
        with closed_port() as port:
            settings = {"DATABASE_URL": f"postgresql://u:p@127.0.0.1:{port}/d", "DATABASE_POOLER": pooler}
            result = run("migrate", DATABASE_DIRECT_URL=url, **settings)

        assert result == CommandResult(0, "The database is up to date.\n", "")
        assert asyncio.run(self._is_current(url))

    def test_other_commands_require_a_migration(self, empty_database: Callable[[], str], run: Run):
        """On an empty database they say what to run."""
        result = run("cleanup", DATABASE_URL=empty_database())

        assert result.code == 1
        assert result.refusal.endswith("run `taskriver migrate`.")

    async def _is_current(self, url: str) -> bool:
        database = Database(url, pool_size=1)
        async with database.connect() as connection:
            current = await is_current(connection)
        await database.close()
        return current


class TestServersInThisFolder:
    def test_the_servers_of_dev_are_used_without_a_url(self, run: Run, tmp_path: Path):
        """Commands find the database of `taskriver dev` in this folder; not in production."""
        settings = {"ENVIRONMENT": "production", "SECRET_KEYS": "k:" + "x" * 32, "BCRYPT_ROUNDS": "12"}
        with embedded.running(tmp_path / ".taskriver", durable=False):
            assert run("migrate") == CommandResult(0, "The database is up to date.\n", "")
            assert run("migrate", **settings).code == 2


class TestCleanup:
    def test_cleanup_reports_what_it_removed(self, run: Run, database_url: str, ask: Any):
        """Expired sessions are removed; the second time there is nothing to do."""

        async def one_old_session(database: Database) -> None:
            await Builders.clear(database)
            build = Builders(database)
            past = datetime.now(UTC) - timedelta(days=40)
            await build.a_session(await build.a_user(), created_at=past, expires_at=past + timedelta(days=7))

        ask(one_old_session)
        first, second = (run("cleanup", DATABASE_URL=database_url) for _ in range(2))

        assert first.out.startswith("Removed 1 expired session, "), first
        assert second.out.startswith("Removed 0 expired sessions")


class TestExportSchema:
    def test_the_schema_is_the_committed_one(self, run: Run):
        """The output equals schema.graphql."""
        assert run("export-schema").out == (PROJECT / "schema.graphql").read_text()


class TestFailures:
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, "DATABASE_URL is not set"),
            ({"DATABASE_URL": "mysql://u:hunter2@h/d"}, "DATABASE_URL must look like postgresql+asyncpg://"),
            ({"DATABASE_URL": "hunter2"}, "DATABASE_URL must look like postgresql+asyncpg://"),
            ({"DATABASE_URL": "postgresql://u:hunter2@h:port/d"}, "DATABASE_URL must look like postgresql+asyncpg://"),
            (
                {"DATABASE_URL": "postgresql://u:hunter2@a,b/d?target_session_attrs=standby"},
                "(target_session_attrs must be any, primary or read-write: Taskriver writes)",
            ),
            ({"DATABASE_DIRECT_URL": "hunter2"}, "DATABASE_DIRECT_URL must look like postgresql+asyncpg://"),
            ({"REDIS_URL": "http://:hunter2@h"}, "REDIS_URL: It must look like redis://"),
            ({"REDIS_URL": "rediss://:hunter2@h?ssl_ca_certs=/none"}, "The file of ssl_ca_certs cannot be read"),
            ({"SECRET_KEYS": "hunter2"}, "SECRET_KEYS must be id:secret"),
            ({"CLEANUP_SCHEDULE": "now and then"}, "CLEANUP_SCHEDULE must be five cron fields"),
            ({"CLEANUP_SCHEDULE": "0 3 31 2 *"}, "CLEANUP_SCHEDULE must be five cron fields"),
            ({"PORT": "99999"}, "PORT: Input should be less than or equal to 65535"),
            ({"WORKERS": "hunter2"}, "WORKERS: Input should be a valid integer"),
            ({"LOG_LEVEL": "hunter2"}, "LOG_LEVEL: "),
            ({"TRUSTED_PROXIES": "hunter2"}, "TRUSTED_PROXIES: "),
            ({"PORT": "0", "WORKERS": "0"}, "; WORKERS: "),
        ],
    )
    def test_an_invalid_setting_is_named(self, run: Run, settings: dict[str, str], expected: str):
        """The message is one line without the value; exit code 2."""
        result = run("migrate", **settings)

        assert result.code == 2
        assert expected in result.refusal
        assert "hunter2" not in result.refusal

    def test_an_unreachable_database_is_named(self, run: Run):
        """The message has the address; exit code 1."""
        with closed_port() as port:
            result = run("migrate", DATABASE_URL=f"postgresql://u:hunter2@127.0.0.1:{port}/d")

        assert result.code == 1
        assert result.refusal == f"The database server at 127.0.0.1:{port} does not answer: check that it is running."

    def test_a_database_that_refuses_has_another_message(self, run: Run, postgres: Postgres):
        """A wrong password or a missing database has another message than a server that is down."""
        wrong = postgres.url.replace(postgres.password, "hunter2")
        missing = postgres.url.rpartition("/")[0] + "/nowhere"

        assert run("migrate", DATABASE_URL=wrong).refusal.endswith("rejects the user or the password of DATABASE_URL.")
        assert "does not have the database" in run("migrate", DATABASE_URL=missing).refusal

    def test_serve_names_missing_servers(self, run: Run):
        """Exit code 2; the message mentions `dev`."""
        result = run("serve")

        assert result.code == 2
        assert "`taskriver dev`" in result.refusal

    def test_dev_refuses_production(self, run: Run):
        """Demo data have known passwords."""
        settings = {"ENVIRONMENT": "production", "SECRET_KEYS": "k:" + "x" * 32, "BCRYPT_ROUNDS": "12"}
        result = run("dev", DATABASE_URL="postgresql://h/d", REDIS_URL="redis://h", **settings)

        assert result.code == 1
        assert "use `taskriver serve`" in result.refusal
