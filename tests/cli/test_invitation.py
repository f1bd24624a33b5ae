"""`taskriver invitation …`, and what `taskriver doctor` says about e-mail."""

import json
from typing import Any

import pytest

from domain.project import ProjectRole
from persistence.database import Database
from tests.cli.conftest import CommandResult, Run
from tests.support.builders import Builders
from tests.support.ports import closed_port

MAIL = {"MAIL_FROM": "noreply@example.org", "PUBLIC_URL": "https://x.org", "SMTP_HOST": "127.0.0.1"}


@pytest.fixture
def invitations(run: Run, database_url: str, ask: Any) -> Any:
    """Run a command about invitations; there is a project."""
    ask(Builders.clear)

    async def project(database: Database) -> None:
        build = Builders(database)
        await build.a_project((await build.a_user(), ProjectRole.MANAGER), key="WEB")

    ask(project)

    def run_it(*arguments: str, **settings: str) -> CommandResult:
        return run("invitation", *arguments, DATABASE_URL=database_url, **settings)

    return run_it


def test_the_link_is_printed_once(invitations: Any):
    """Alone on standard output; no other command prints it."""
    created = invitations("create", "grace@example.org", "--project", "web", "--project-role", "viewer")
    assert (created.code, created.err) == (0, "")
    assert created.out.startswith("/join#token=trv_inv_")
    [found] = json.loads(invitations("list", "--json").out)["invitations"]
    assert (found["email"], found["role"], found["projectRole"]) == ("grace@example.org", "USER", "VIEWER")
    assert "trv_inv_" not in invitations("list").out
    assert invitations("revoke", found["uuid"]).out == f"Revoked the invitation {found['uuid']}.\n"
    assert invitations("list").out == "There are no invitations.\n"
    assert invitations("revoke", found["uuid"]).refusal == "Invitation not found"


def test_with_a_mail_server_the_link_is_not_printed(invitations: Any):
    """A server mails it."""
    created = invitations("create", "grace@example.org", **MAIL)
    assert created.out == "grace@example.org gets a mail with a link.\n"
    assert "trv_inv_" not in invitations("create", "grace@example.org", "--json", **MAIL).out


def test_values_that_break_a_rule(invitations: Any):
    """Each is one line that says what to do."""
    assert "must look like" in invitations("create", "grace").refusal
    assert invitations("create", "grace@example.org", "--project", "NONE").refusal == "Project not found"


def test_doctor_tries_the_mail_server(run: Run, database_url: str, redis_url: str):
    """One that does not answer is bad; what waits is shown."""
    with closed_port() as port:
        settings = MAIL | {"SMTP_PORT": str(port), "DATABASE_URL": database_url, "REDIS_URL": redis_url}
        result = run("doctor", "--json", **settings)
    found = {each["name"]: each for each in json.loads(result.out)["findings"]}
    assert (result.code, found["e-mail"]["state"]) == (1, "bad")
    assert "127.0.0.1" in str(found["e-mail"])
    assert "waiting" in str(found["e-mail queue"])
