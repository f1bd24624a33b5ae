"""`taskriver token`, and the commands that use the stored session."""

import asyncio
import json
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.sign_in import endpoint, sign_in
from cli.stored_sessions import store
from tests.cli.conftest import CommandResult, Run
from verification.client.account import Account

PASSWORD = b"Correct-horse1\n"


@pytest.fixture(scope="module")
def names() -> list[str]:
    """The names of the users that exist."""
    return []


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of stored sessions."""
    path = tmp_path / "config" / "tokens.json"
    monkeypatch.setenv(store.VARIABLE, str(path))
    return path


@pytest.fixture
def token(run: Run, served: str, database_url: str, stored: Path, names: list[str]) -> Any:
    """Runs the command for ada, who is a user."""
    if not names:
        result = run(
            "user", "create", "ada", "a@example.org", "--password-stdin", stdin=PASSWORD, DATABASE_URL=database_url
        )
        assert result.code == 0, result
        names.append("ada")

    def token(*arguments: str, stdin: bytes = b"") -> CommandResult:
        return run("token", served, *arguments, stdin=stdin)

    return token


@pytest.fixture
def signed_in(token: Any) -> str:
    """Ada signs in; returns her access token."""
    result = token("--username", "ada", "--password-stdin", stdin=PASSWORD)
    assert (result.code, result.err) == (0, "")
    return str(result.out.strip())


def age(stored: Path, *, used: bool = False) -> None:
    """Let the access token expire, and the refresh token, too, if it was *used* elsewhere."""
    (session,) = json.loads(stored.read_text())["sessions"]
    session["expires_at"] = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
    if used:
        session["refresh_token"] = "never-given"
    stored.write_text(json.dumps({"sessions": [session]}))


class TestToken:
    def test_each_output_form(self, token: Any, signed_in: str, served: str):
        """After the sign-in the token is printed without a password, for curl, shells and programs."""
        facts = json.loads(token("--json").out)

        assert token().out == f"{signed_in}\n"
        assert token("--header").out == f"authorization: Bearer {signed_in}\n"
        assert token("--export").out == f"export TASKRIVER_TOKEN={signed_in}\n"
        assert (facts["accessToken"], facts["username"], facts["url"]) == (signed_in, "ada", f"{served}/graphql")
        assert datetime.fromisoformat(facts["expiresAt"]) > datetime.now(UTC)
        answer = httpx.get(f"{served}/api/v1/users/about_me/", headers={"authorization": f"Bearer {signed_in}"})
        assert answer.json()["username"] == "ada"

    @pytest.mark.usefixtures("signed_in")
    def test_only_the_owner_can_read_the_file(self, stored: Path):
        """The file and its new folder are private; the password is in neither."""
        assert stat.S_IMODE(stored.stat().st_mode) == 0o600
        assert stat.S_IMODE(stored.parent.stat().st_mode) == 0o700
        assert "horse" not in stored.read_text()

    def test_an_expired_token_is_renewed(self, token: Any, signed_in: str, stored: Path):
        """The renewed token is stored, and the next call prints the same one."""
        age(stored)
        renewed = token().out

        assert renewed != f"{signed_in}\n"
        assert token().out == renewed

    @pytest.mark.usefixtures("signed_in")
    def test_an_expired_session_needs_a_new_sign_in(self, token: Any, stored: Path):
        """Signing in with the password works."""
        age(stored, used=True)
        result = token()
        again = token("--password-stdin", "--username", "ada", stdin=PASSWORD)

        assert (result.code, result.refusal) == (
            1,
            "There is no terminal to ask for the password: use --password-stdin.",
        )
        assert again.code == 0

    @pytest.mark.parametrize("form", [(), ("--header",), ("--export",), ("--json",)])
    def test_a_session_ended_elsewhere_is_detected(
        self, token: Any, served: str, signed_in: str, form: tuple[str, ...]
    ):
        """No invalid token is printed: the command checks with the server, and fails if renewal fails."""
        logout = {"query": "mutation { logout { userErrors { message } } }"}
        headers = {"authorization": f"Bearer {signed_in}"}
        httpx.post(f"{served}/graphql", json=logout, headers=headers)
        # A sign-out takes effect within a second.
        while httpx.get(f"{served}/api/v1/users/about_me/", headers=headers).status_code == 200:
            time.sleep(0.02)
        result = token(*form)

        assert (result.code, result.refusal) == (
            1,
            "There is no terminal to ask for the password: use --password-stdin.",
        )

    @pytest.mark.usefixtures("signed_in")
    def test_a_refused_token_is_renewed(self, token: Any, signed_in: str, stored: Path):
        """The session continues: the server refuses only this token."""
        (session,) = json.loads(stored.read_text())["sessions"]
        stored.write_text(json.dumps({"sessions": [session | {"access_token": signed_in[:-4] + "AAAA"}]}))
        renewed = token().out.strip()

        assert renewed
        assert renewed != signed_in[:-4] + "AAAA"
        assert token().out.strip() == renewed

    @pytest.mark.usefixtures("signed_in")
    def test_forget_signs_out(self, token: Any, served: str, signed_in: str, stored: Path):
        """At the server and in the file."""
        result = token("--forget")
        answer = httpx.get(f"{served}/api/v1/users/about_me/", headers={"authorization": f"Bearer {signed_in}"})

        assert result.out == f"ada is signed out at {served}/graphql.\n"
        assert answer.status_code == 401
        assert json.loads(stored.read_text()) == {"sessions": []}
        assert token("--forget").refusal == f"There is no stored session at {served}/graphql."

    def test_a_wrong_password_is_refused(self, token: Any, served: str, stored: Path):
        """With the server's message; nothing is stored."""
        result = token("--username", "ada", "--password-stdin", stdin=b"hunter2\n")

        assert (result.code, result.refusal) == (1, f"{served}/graphql: Wrong username or password.")
        assert not stored.exists()

    def test_without_a_terminal_it_says_what_to_do(self, token: Any):
        """There is no session and no name."""
        assert token().refusal.startswith("You are not signed in: use --username NAME --password-stdin")

    def test_an_unreachable_server_is_named(self, run: Run, stored: Path):
        """One line with the address."""
        result = run("token", "http://127.0.0.1:1", "--username", "ada", "--password-stdin", stdin=PASSWORD)

        assert result.code == 1
        assert result.refusal == (
            "http://127.0.0.1:1/graphql does not answer (connection refused): "
            "check the URL, and that the server is running."
        )

    def test_another_file_is_not_overwritten(self, token: Any, stored: Path):
        """The message names it."""
        stored.parent.mkdir()
        stored.write_text("{}")
        result = token()

        assert (result.code, result.refusal) == (
            1,
            f"{stored} is not a file of stored sessions: remove it, and sign in again.",
        )
        assert stored.read_text() == "{}"


class TestCommandsThatSignIn:
    @pytest.mark.usefixtures("signed_in")
    def test_commands_use_the_stored_session(self, served: str, stored: Path):
        """They need no name; a refused token is renewed and stored."""
        account = sign_in(endpoint(served), None, password_stdin=False)

        async def ask_twice() -> tuple[str, str, str]:
            first = (await account.me()).username
            before = await account.token()
            account.forget()
            return first, before, await account.token()

        name, before, after = asyncio.run(ask_twice())
        assert name == "ada"
        assert before != after
        assert json.loads(stored.read_text())["sessions"][0]["access_token"] == after

    @pytest.mark.parametrize("source", ["stored session", "environment"])
    def test_a_command_does_not_end_a_stored_session(
        self, served: str, signed_in: str, stored: Path, monkeypatch: pytest.MonkeyPatch, source: str
    ):
        """`sign_out` ends only sessions that began with a password, not a stored one or one from a variable."""
        if source == "environment":
            monkeypatch.setenv("TASKRIVER_TOKEN", signed_in)
            stored.unlink()
        account = sign_in(endpoint(served), None, password_stdin=False)

        async def use() -> None:
            await account.me()
            await account.sign_out()

        asyncio.run(use())
        answer = httpx.get(f"{served}/api/v1/users/about_me/", headers={"authorization": f"Bearer {signed_in}"})
        assert answer.status_code == 200

    def test_a_command_ends_its_own_session(self, token: Any, served: str):
        """A session that began with a password ends with the command."""
        assert token("--username", "ada", "--password-stdin", stdin=PASSWORD).code == 0
        account = Account(lambda: endpoint(served), "ada", PASSWORD.decode().strip())

        async def use() -> str:
            await account.me()
            used = await account.token()
            await account.sign_out()
            return used

        headers = {"authorization": f"Bearer {asyncio.run(use())}"}
        while httpx.get(f"{served}/api/v1/users/about_me/", headers=headers).status_code != 401:
            time.sleep(0.02)  # a sign-out takes effect within a second; the test's time limit catches one that does not
