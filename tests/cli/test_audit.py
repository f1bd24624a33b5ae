"""`taskriver audit`, and the entries of other commands."""

import asyncio
import csv
import io
import json
import os
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
import typer

from cli import commands
from cli.audit import Layout, _print
from domain.actor import OPERATOR
from domain.audit import AuditAction, AuditEntry, Subject
from domain.project import ProjectRole
from domain.trusted_document import TrustedDocument
from domain.user import Role
from persistence.database import Database
from persistence.models import AuditRow, InvitationRow
from persistence.models.rows import new_row
from persistence.queries.audit import AuditFilter
from server.settings import Settings
from tests.cli.conftest import CommandResult, Run
from tests.support.audit import entries
from tests.support.builders import Builders

NOON = datetime(2020, 12, 1, 12, tzinfo=UTC)
OPERATOR_NAME: Final = "the operator (command line)"
PASSWORD: Final = b"Correct-horse1\n"

TOKEN_ID: Final = UUID(int=7)
INVITATION_ID: Final = UUID(int=8)
MANIFEST: Final = Path(__file__).with_name("manifests") / "apollo.json"

EXEMPT: Final = {
    **dict.fromkeys(("dev", "serve"), "each process adds its start, see tests/server/test_start_entry.py"),
    **dict.fromkeys(("doctor", "export-schema", "watch", "verify-stream", "compat check"), "it changes nothing"),
    **dict.fromkeys(("project list", "project members"), "without options it reads names that users see, too"),
    "migrate": "it changes tables and no access, and the log may not exist yet",
    **dict.fromkeys(("token", "login", "logout"), "it signs in or out over the API, which adds the entry"),
    **dict.fromkeys(
        ("access-token list", "service-account list", "documents list", "invitation list"), "it reads only"
    ),
    **dict.fromkeys(("stream reset-epoch", "stream cursor-format"), "it changes the cursors of clients and no access"),
}
"""The commands that add no entry, with the reason."""
AUDITED: Final[dict[str, tuple[tuple[str, ...], list[tuple[str, str | None]]]]] = {
    "user create": (
        ("user", "create", "eve", "eve@example.org", "--password-stdin"),
        [("USER_CREATED", OPERATOR_NAME)],
    ),
    "user role": (("user", "role", "alice", "moderator"), [("ROLE_CHANGED", OPERATOR_NAME)]),
    "user disable": (("user", "disable", "alice"), [("USER_DISABLED", OPERATOR_NAME)]),
    "user recover": (("user", "recover", "alice"), [("RECOVERY_CREATED", OPERATOR_NAME)]),
    "user delete": (("user", "delete", "bob"), [("USER_DELETED", OPERATOR_NAME)]),
    "user enable": (("user", "enable", "gone"), [("USER_ENABLED", OPERATOR_NAME)]),
    "service-account create": (("service-account", "create", "robot"), [("USER_CREATED", OPERATOR_NAME)]),
    "project create": (("project", "create", "NEW", "New", "--as", "alice"), [("PROJECT_CREATED", "alice")]),
    "project members --set": (
        ("project", "members", "WEB", "--set", "bob=viewer", "--set", "bob=member"),
        [("MEMBER_ADDED", OPERATOR_NAME), ("MEMBER_ROLE_CHANGED", OPERATOR_NAME)],
    ),
    "project members --remove": (
        ("project", "members", "WEB", "--remove", "root"),
        [("MEMBER_REMOVED", OPERATOR_NAME)],
    ),
    "access-token create": (
        ("access-token", "create", "alice", "CI", "--scope", "tasks:read"),
        [("ACCESS_TOKEN_CREATED", "alice")],
    ),
    "access-token revoke": (
        ("access-token", "revoke", "alice", str(TOKEN_ID)),
        [("ACCESS_TOKEN_REVOKED", "alice")],
    ),
    "invitation create": (
        ("invitation", "create", "i@example.org", "--project", "WEB"),
        [("INVITATION_CREATED", OPERATOR_NAME)],
    ),
    "invitation revoke": (
        ("invitation", "revoke", str(INVITATION_ID)),
        [("INVITATION_REVOKED", OPERATOR_NAME)],
    ),
    "documents add": (("documents", "add", str(MANIFEST), "--client", "web"), [("DOCUMENTS_ADDED", OPERATOR_NAME)]),
    "documents remove": (
        ("documents", "remove", "--client", "old", "--id", "1"),
        [("DOCUMENTS_REMOVED", OPERATOR_NAME)],
    ),
    "import": (("import", "-", "--as", "alice", "--format", "jsonl"), [("IMPORT_STARTED", "alice")]),
    "export": (("export", "--as", "alice"), [("EXPORT_STARTED", "alice")]),
    "seed": (
        ("seed", "--tasks", "2", "--users", "2"),
        [("USER_CREATED", OPERATOR_NAME), ("USER_CREATED", OPERATOR_NAME)],
    ),
    "cleanup": (("cleanup",), [("CLEANED_UP", OPERATOR_NAME)]),
    "audit": (("audit",), [("AUDIT_EXPORTED", OPERATOR_NAME)]),
}
"""The arguments of each command, and the actions and actors of its entries."""


@pytest.fixture
def scene(ask: Any, users: None) -> None:
    """A project of alice, and an expired session."""

    async def make(database: Database) -> None:
        build = Builders(database)
        async with build.as_(None) as uow:
            found = [await uow.users.find_by_name(name) for name in ("alice", "root")]
        alice, root = [each for each in found if each is not None]
        await build.a_project((alice, ProjectRole.MANAGER), (root, ProjectRole.VIEWER), key="WEB")
        await build.a_session(alice, expires_at=datetime.now(UTC) - timedelta(days=1))
        await build.an_access_token(alice, id=TOKEN_ID)
        async with build.as_(None) as uow:
            await uow.trusted_documents.add(
                "old", [TrustedDocument("1", "old", "One", "{ __typename }")], now=uow.stamp
            )
            invitation = new_row(
                InvitationRow,
                id=INVITATION_ID,
                email="r@example.org",
                role=Role.USER,
                is_mailed=True,
                created_at=uow.now,
                expires_at=uow.now + timedelta(days=1),
            )
            uow.invitations.add(invitation)
            await uow.commit()

    ask(make)


@pytest.fixture
def log(ask: Any) -> Any:
    """The entries, the oldest first."""

    def read() -> list[AuditRow]:
        found: list[AuditRow] = ask(entries)
        return found

    return read


def names() -> set[str]:
    """All commands, with their subcommands."""
    found = set()
    for name in commands.COMMANDS:
        command = commands.load(name)
        inner = getattr(command, "commands", {})
        found |= {f"{name} {each}" for each in inner} if inner else {name}
    return found


def test_each_command_is_audited_or_exempt():
    """A new command needs its entries, or a reason."""
    assert isinstance(commands.app, typer.Typer)
    assert names() == {name.partition(" --")[0] for name in AUDITED} | EXEMPT.keys()


@pytest.mark.parametrize("name", AUDITED)
def test_a_command_adds_its_entries(scene: None, run: Run, database_url: str, log: Any, name: str):
    """With the operator as the actor, or the user in whose name it works; without an address."""
    arguments, expected = AUDITED[name]
    stdin = PASSWORD if "--password-stdin" in arguments else b'{"id": "1", "title": "One"}\n'
    result = run(*arguments, stdin=stdin, DATABASE_URL=database_url)
    assert result.code == 0, result
    assert [(row.action.value, row.actor_name) for row in log()] == expected
    assert {row.ip_address for row in log()} == {None}
    assert "example.org" not in str([row.__dict__ for row in log()])


def test_a_check_of_an_import_adds_none(scene: None, run: Run, database_url: str, log: Any):
    """It creates nothing."""
    options = ("import", "-", "--as", "alice", "--format", "jsonl", "--check")
    assert run(*options, stdin=b'{"id": "1", "title": "One"}\n', DATABASE_URL=database_url).code == 0
    assert log() == []


class TestPrinting:
    @pytest.fixture(autouse=True)
    def some(self, ask: Any) -> None:
        """Three entries, one of which tries to look like two."""

        async def make(database: Database) -> None:
            await Builders.clear(database)
            build = Builders(database)
            ada = await build.a_user(Role.ADMIN, username="ada")
            for minute, action in enumerate((AuditAction.SIGNED_IN, AuditAction.ROLE_CHANGED, AuditAction.SIGNED_IN)):
                async with build.as_(OPERATOR, now=NOON + timedelta(minutes=minute)) as uow:
                    details = {"userAgent": '=1+1\r\n2020-12-01 "x", \x1b[2K'}
                    uow.audit(AuditEntry(action, Subject.user(ada.id, "ada"), details))
                    await uow.commit()

        ask(make)

    def run_it(self, run: Run, database_url: str, *options: str) -> CommandResult:
        """Without the entries of this command itself."""
        return run("audit", "--until", "2020-12-02", *options, DATABASE_URL=database_url)

    def test_json_lines(self, run: Run, database_url: str):
        """One object for each entry, the oldest first."""
        lines = self.run_it(run, database_url, "--format", "jsonl").out.splitlines()
        found = [json.loads(line) for line in lines]
        assert [each["action"] for each in found] == ["SIGNED_IN", "ROLE_CHANGED", "SIGNED_IN"]
        assert found[0] | {"id": "", "subjectId": ""} == {
            "id": "",
            "at": "2020-12-01T12:00:00+00:00",
            "lastAt": None,
            "times": 1,
            "action": "SIGNED_IN",
            "actorId": str(OPERATOR.user_id),
            "actorName": OPERATOR_NAME,
            "ipAddress": None,
            "subjectKind": "USER",
            "subjectId": "",
            "subjectName": "ada",
            "details": {"userAgent": r'=1+1\x0d\x0a2020-12-01 "x", \x1b[2K'},
        }

    def test_csv(self, run: Run, database_url: str):
        """One row for each entry, with a header; no cell begins like a formula."""
        text = self.run_it(run, database_url, "--format", "csv").out
        found = list(csv.DictReader(io.StringIO(text)))
        assert len(text.splitlines()) == 4
        assert [each["subjectName"] for each in found] == ["ada"] * 3
        assert not any(value.startswith(("=", "+", "-", "@")) for each in found for value in each.values())

    def test_table(self, run: Run, database_url: str):
        """One line for each entry, without control characters."""
        lines = self.run_it(run, database_url).out.splitlines()
        assert [line.split()[2] for line in lines] == ["action", "SIGNED_IN", "ROLE_CHANGED", "SIGNED_IN"]
        assert all(line.isprintable() for line in lines)

    def test_filters(self, run: Run, database_url: str):
        """By time and action; a time without an offset is in UTC."""
        since = ("--since", "2020-12-01T12:01", "--format", "jsonl")
        assert len(self.run_it(run, database_url, *since).out.splitlines()) == 2
        offset = ("--since", "2020-12-01T13:02+01:00", "--format", "jsonl")
        assert len(self.run_it(run, database_url, *offset).out.splitlines()) == 1
        assert len(self.run_it(run, database_url, "--action", "role_changed").out.splitlines()) == 2

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--since", "yesterday"), "--since needs a time such as 2026-12-31"),
            (("--action", "dance"), "dance"),
            (("--format", "xml"), "xml"),
        ],
    )
    def test_bad_options(self, run: Run, database_url: str, options: tuple[str, ...], message: str):
        """Say what is wrong."""
        result = run("audit", *options, DATABASE_URL=database_url)
        assert result.code in (1, 2)
        assert message in result.refusal


def test_a_long_log_takes_little_memory(ask: Any, run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch):
    """It is read in pages: six thousand entries take as much memory as a thousand."""

    async def fill(database: Database) -> None:
        await Builders.clear(database)
        for day in range(6):
            async with database.unit_of_work(OPERATOR, now=NOON + timedelta(days=day)) as uow:
                for _ in range(1_000):
                    uow.audit(AuditEntry(AuditAction.SIGNED_IN, details={"userAgent": "x" * 200}))
                await uow.commit()

    def peak(until: datetime) -> int:
        with Path(os.devnull).open("w") as nowhere, monkeypatch.context() as here:
            here.setattr(sys, "stdout", nowhere)
            tracemalloc.start()
            asyncio.run(
                _print(Settings(_env_file=None, database_url=database_url), AuditFilter(until=until), Layout.JSONL)
            )
            highest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return highest

    ask(fill)
    peak(NOON + timedelta(hours=1))  # imports and caches
    assert peak(NOON + timedelta(days=40)) < 2 * peak(NOON + timedelta(hours=1))
