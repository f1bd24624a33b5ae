"""`taskriver access-token …`, and commands that act with a token."""

import json
from typing import Any

import pytest

from domain.access_token import is_intact
from domain.user import Role
from persistence.database import Database
from tests.cli.conftest import CommandResult, Run
from tests.support.builders import Builders


@pytest.fixture
def tokens(run: Run, database_url: str, ask: Any) -> Any:
    """Run a command about the tokens of a user; there is a user and an admin."""
    ask(Builders.clear)

    async def users(database: Database) -> None:
        await Builders(database).a_user(username="Ada")
        await Builders(database).a_user(Role.ADMIN, username="root")

    ask(users)

    def run_it(*arguments: str) -> CommandResult:
        return run("access-token", *arguments, DATABASE_URL=database_url)

    return run_it


def listed(tokens: Any, user: str = "ada") -> list[dict[str, Any]]:
    """The tokens of a user."""
    found: list[dict[str, Any]] = json.loads(tokens("list", user, "--json").out)["accessTokens"]
    return found


class TestTokens:
    def test_the_text_is_printed_once(self, tokens: Any):
        """Alone on standard output, so that it can be stored; no other command prints it."""
        created = tokens("create", "ada", "CI", "--scope", "tasks:write", "--scope", "account")
        assert (created.code, created.err) == (0, "")
        assert is_intact(created.out.strip())
        [found] = listed(tokens)
        assert (found["name"], found["scopes"], found["lastUsedAt"]) == ("CI", ["tasks:write", "account"], None)
        shown = tokens("list", "ada").out
        assert found["uuid"] in shown
        assert "trv_pat_" not in shown

    def test_a_revoked_token_is_gone(self, tokens: Any):
        """It is found by its id and its user."""
        tokens("create", "ada", "CI", "--scope", "tasks:read")
        [found] = listed(tokens)
        assert tokens("revoke", "root", found["uuid"]).refusal == "Access token not found"
        assert tokens("revoke", "ada", found["uuid"]).out == f"Revoked the token {found['uuid']}.\n"
        assert tokens("list", "ada").out == "ada has no personal access tokens.\n"

    def test_values_that_break_a_rule(self, tokens: Any):
        """Each is one line that says what to do; a scope that does not exist is wrong usage."""
        assert "admin is for moderators and admins" in tokens("create", "ada", "x", "--scope", "admin").refusal
        assert "at most 366 days" in tokens("create", "ada", "x", "--scope", "account", "--days", "400").refusal
        assert "There is no user" in tokens("create", "nobody", "x", "--scope", "account").refusal
        assert tokens("create", "ada", "x", "--scope", "everything").code == 2
        assert tokens("create", "ada", "x").code == 2
        assert tokens("create", "root", "x", "--scope", "admin").code == 0
