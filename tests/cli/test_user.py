"""`taskriver user …`."""

import asyncio
import json
from typing import Any

import pytest

from domain.user import Role
from graphql_api.auth.passwords import Passwords
from persistence.database import Database
from persistence.models import UserRow
from tests.cli.conftest import CommandResult, Run
from tests.support.builders import Builders

PASSWORD = b"Correct-horse1\n"


@pytest.fixture(autouse=True)
def empty(ask: Any) -> None:
    """A database without users."""
    ask(Builders.clear)


@pytest.fixture
def user(run: Run, database_url: str) -> Any:
    """Run a command about users."""

    def run_it(*arguments: str, stdin: bytes = b"", **settings: str) -> CommandResult:
        return run("user", *arguments, stdin=stdin, **({"DATABASE_URL": database_url} | settings))

    return run_it


@pytest.fixture
def stored(ask: Any) -> Any:
    """The stored row of a user."""

    def find(name: str) -> UserRow:
        async def look(database: Database) -> UserRow | None:
            async with Builders(database).as_(None) as uow:
                return await uow.users.find_by_name(name)

        found: UserRow = ask(look)
        return found

    return find


@pytest.fixture
def root(user: Any) -> None:
    """There is one admin."""
    result = user("create", "root", "root@example.org", "--role", "admin", "--password-stdin", stdin=PASSWORD)
    assert result == CommandResult(0, "Created root, role ADMIN.\n", "")


class TestCreate:
    def test_the_password_comes_from_standard_input(self, user: Any, stored: Any):
        """The first line is the password, and it can sign in; the default role is USER."""
        result = user("create", "Ada", "ada@example.org", "--password-stdin", stdin=PASSWORD + b"not this\n")

        stdin = user("enable", "ada", "--json")

        assert result == CommandResult(0, "Created Ada, role USER.\n", "")
        assert json.loads(stdin.out) == {
            "uuid": str(stored("ada").id),
            "username": "Ada",
            "email": "ada@example.org",
            "role": "USER",
            "isActive": True,
        }
        assert asyncio.run(Passwords(4).verify("Correct-horse1", stored("ada").password_hash)).matches

    @pytest.mark.parametrize(
        ("name", "email", "stdin", "reason"),
        [
            ("ROOT", "other@example.org", PASSWORD, "A user with this name already exists"),
            ("other", "Root@Example.org", PASSWORD, "A user with this email already exists"),
            ("o", "o@example.org", PASSWORD, "username must have 3 to 20 characters."),
            ("other", "nonsense", PASSWORD, "email must look like name@example.org."),
            ("other", "o@example.org", b"Aa1-", "password needs at least 8 characters."),
            ("other", "o@example.org", b"", "password needs at least 8 characters, an upper-case letter"),
            ("other", "o@example.org", b"Correct-horse\xff1\n", "password "),
            ("other", "o@example.org", b"Correct horse-1\n", "password must not contain spaces."),
        ],
    )
    @pytest.mark.usefixtures("root")
    def test_a_refusal_is_one_line(self, user: Any, name: str, email: str, stdin: bytes, reason: str):
        """Exit code 1, without the password."""
        result = user("create", name, email, "--password-stdin", stdin=stdin)

        assert result.code == 1
        assert result.refusal.startswith(reason)
        assert "horse" not in result.refusal

    def test_without_a_terminal_it_says_what_to_do(self, user: Any):
        """Without --password-stdin."""
        result = user("create", "ada", "ada@example.org")

        assert result.code == 1
        assert result.refusal == "There is no terminal to ask for the password: use --password-stdin."

    def test_an_unknown_role_is_misuse(self, user: Any):
        """Exit code 2, with the list of roles."""
        result = user("create", "ada", "ada@example.org", "--role", "king", "--password-stdin", stdin=PASSWORD)

        assert result.code == 2
        assert "moderator" in result.err.lower()


WITHOUT_PASSWORDS = {
    "PASSWORD_LOGIN": "false",
    "PUBLIC_URL": "https://tasks.example.org",
    "OIDC_PROVIDERS": "one",
    "OIDC_ONE_ISSUER": "https://login.example.org",
    "OIDC_ONE_CLIENT_ID": "taskriver",
    "OIDC_ONE_CLIENT_SECRET": "a-secret-of-the-tests",
}


class TestWithoutPasswords:
    def test_a_user_is_created_without_one(self, user: Any, stored: Any):
        """It asks for nothing, and says how the user gets in; a name that is taken is refused."""
        result = user("create", "Ada", "ada@example.org", "--role", "admin", **WITHOUT_PASSWORDS)

        assert (result.code, result.err) == (0, "")
        assert result.out.startswith("Created Ada, role ADMIN, without a password. `taskriver user recover Ada` ")
        assert (stored("ada").has_password, stored("ada").role) == (False, Role.ADMIN)
        again = user("create", "ADA", "other@example.org", **WITHOUT_PASSWORDS)
        assert (again.code, again.refusal) == (1, "A user with this name already exists")

    def test_a_password_is_refused(self, user: Any):
        """Instead of being ignored."""
        result = user("create", "ada", "a@example.org", "--password-stdin", stdin=PASSWORD, **WITHOUT_PASSWORDS)
        assert result.code == 1
        assert result.refusal.startswith("PASSWORD_LOGIN is false, so users have no passwords")

    def test_an_operator_lets_a_user_in(self, user: Any):
        """With a code, which is printed once, and the address of the page."""
        user("create", "Ada", "ada@example.org", **WITHOUT_PASSWORDS)

        lines = user("recover", "ada", **WITHOUT_PASSWORDS).out.splitlines()
        facts = json.loads(user("recover", "ADA", "--json").out)

        assert lines[0].startswith("Ada can sign in once, until ")
        assert lines[1].startswith("trv_rec_")
        assert lines[2] == "Enter it at https://tasks.example.org/auth/recover."
        assert facts["code"] != lines[1]
        assert (facts["username"], facts["url"]) == ("Ada", "/auth/recover")


@pytest.mark.usefixtures("root")
class TestRecoverRefusals:
    def test_a_disabled_user(self, user: Any):
        """The message says how to enable the user."""
        user("create", "ada", "ada@example.org", "--password-stdin", stdin=PASSWORD)
        user("disable", "ada")
        result = user("recover", "ada")
        assert (result.code, result.out) == (1, "")
        assert result.refusal == "ada is disabled; `taskriver user enable ada` enables the user."

    def test_a_service_account(self, user: Any, run: Run, database_url: str):
        """The message says how it gets a token."""
        run("service-account", "create", "robot", DATABASE_URL=database_url)
        result = user("recover", "robot")
        assert (result.code, result.out) == (1, "")
        assert result.refusal.startswith("robot is a service account, which never signs in; ")

    def test_nobody(self, user: Any):
        """A user who does not exist."""
        assert user("recover", "nobody").refusal.startswith("There is no user 'nobody'")


@pytest.mark.usefixtures("root")
class TestChange:
    def test_roles_and_access(self, user: Any, stored: Any):
        """A role is set, and a user is disabled and enabled, by a name in any case."""
        user("create", "ada", "ada@example.org", "--password-stdin", stdin=PASSWORD)

        assert user("role", "ADA", "moderator") == CommandResult(0, "ada has the role MODERATOR.\n", "")
        assert user("disable", "Ada") == CommandResult(0, "ada is disabled.\n", "")
        assert (stored("ada").role, stored("ada").is_active) == (Role.MODERATOR, False)
        assert user("disable", "ada").code == 0
        assert user("enable", "ada") == CommandResult(0, "ada is enabled.\n", "")
        assert stored("ada").is_active

    @pytest.mark.parametrize("command", [("role", "root", "USER"), ("disable", "root")])
    def test_the_last_admin_stays(self, user: Any, stored: Any, command: tuple[str, ...]):
        """The last active admin can be neither demoted nor disabled."""
        result = user(*command)

        assert result.code == 1
        assert result.refusal == "This is the last active admin; make another user an admin first."
        assert (stored("root").role, stored("root").is_active) == (Role.ADMIN, True)

    @pytest.mark.parametrize("command", [("role", "nobody", "USER"), ("disable", "nobody"), ("enable", "no\udcffbody")])
    def test_an_unknown_name_is_reported(self, user: Any, command: tuple[str, ...]):
        """In one line."""
        stdin = f"There is no user {command[1]!a}; `taskriver user create` creates one."
        assert (user(*command).code, user(*command).refusal) == (1, stdin)
