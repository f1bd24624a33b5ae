"""`taskriver token`, and the commands that ask as whoever signed in by it."""

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
    """Who was made already."""
    return []


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where tokens are kept."""
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
    """She has signed in; her access token."""
    result = token("--username", "ada", "--password-stdin", stdin=PASSWORD)
    assert (result.code, result.err) == (0, "")
    return str(result.out.strip())


def age(stored: Path, *, used: bool = False) -> None:
    """Let the access token expire; the refresh token too, if it was *used* elsewhere."""
    (session,) = json.loads(stored.read_text())["sessions"]
    session["expires_at"] = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
    if used:
        session["refresh_token"] = "never-given"
    stored.write_text(json.dumps({"sessions": [session]}))


class TestToken:
    def test_each_form(self, token: Any, signed_in: str, served: str):
        """Once signed in it is printed again without a password, as curl, shells and programs want it."""
        facts = json.loads(token("--json").out)

        assert token().out == f"{signed_in}\n"
        assert token("--header").out == f"authorization: Bearer {signed_in}\n"
        assert token("--export").out == f"export TASKRIVER_TOKEN={signed_in}\n"
        assert (facts["accessToken"], facts["username"], facts["url"]) == (signed_in, "ada", f"{served}/graphql")
        assert datetime.fromisoformat(facts["expiresAt"]) > datetime.now(UTC)
        answer = httpx.get(f"{served}/api/v1/users/about_me/", headers={"authorization": f"Bearer {signed_in}"})
        assert answer.json()["username"] == "ada"

    @pytest.mark.usefixtures("signed_in")
    def test_it_is_nobody_elses_to_read(self, stored: Path):
        """The file, and the folder that was made for it, are the owner's only; the password is in neither."""
        assert stat.S_IMODE(stored.stat().st_mode) == 0o600
        assert stat.S_IMODE(stored.parent.stat().st_mode) == 0o700
        assert "horse" not in stored.read_text()

    def test_one_that_expired_is_renewed(self, token: Any, signed_in: str, stored: Path):
        """The renewed token is stored, so the next call prints the same one."""
        age(stored)
        renewed = token().out

        assert renewed != f"{signed_in}\n"
        assert token().out == renewed

    @pytest.mark.usefixtures("signed_in")
    def test_a_session_that_is_over(self, token: Any, stored: Path):
        """Somebody has to sign in again; with a password that works."""
        age(stored, used=True)
        result = token()
        again = token("--password-stdin", "--username", "ada", stdin=PASSWORD)

        assert (result.code, result.refusal) == (
            1,
            "There is no terminal to ask for the password: use --password-stdin.",
        )
        assert again.code == 0

    @pytest.mark.parametrize("form", [(), ("--header",), ("--export",), ("--json",)])
    def test_a_session_that_was_ended_elsewhere(self, token: Any, served: str, signed_in: str, form: tuple[str, ...]):
        """No dead token is printed: the command asks the server first, and fails if nothing can be renewed."""
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
    def test_a_token_that_is_no_longer_accepted_is_renewed(self, token: Any, signed_in: str, stored: Path):
        """The session goes on: the server refuses only this token."""
        (session,) = json.loads(stored.read_text())["sessions"]
        stored.write_text(json.dumps({"sessions": [session | {"access_token": signed_in[:-4] + "AAAA"}]}))
        renewed = token().out.strip()

        assert renewed
        assert renewed != signed_in[:-4] + "AAAA"
        assert token().out.strip() == renewed

    @pytest.mark.usefixtures("signed_in")
    def test_forgetting(self, token: Any, served: str, signed_in: str, stored: Path):
        """It signs out, there and here."""
        result = token("--forget")
        answer = httpx.get(f"{served}/api/v1/users/about_me/", headers={"authorization": f"Bearer {signed_in}"})

        assert result.out == f"ada is signed out at {served}/graphql.\n"
        assert answer.status_code == 401
        assert json.loads(stored.read_text()) == {"sessions": []}
        assert token("--forget").refusal == f"There is no stored session at {served}/graphql."

    def test_a_wrong_password(self, token: Any, served: str, stored: Path):
        """It is refused in the server's words, and nothing is kept."""
        result = token("--username", "ada", "--password-stdin", stdin=b"hunter2\n")

        assert (result.code, result.refusal) == (1, f"{served}/graphql: Wrong username or password.")
        assert not stored.exists()

    def test_nobody_to_ask(self, token: Any):
        """Without a session, a name and a terminal it says what there is to do."""
        assert token().refusal.startswith("You are not signed in: use --username NAME --password-stdin")

    def test_no_server(self, run: Run, stored: Path):
        """It says where nobody answered."""
        result = run("token", "http://127.0.0.1:1", "--username", "ada", "--password-stdin", stdin=PASSWORD)

        assert result.code == 1
        assert result.refusal == (
            "http://127.0.0.1:1/graphql does not answer (connection refused): "
            "check the URL, and that the server is running."
        )

    def test_a_file_that_is_something_else(self, token: Any, stored: Path):
        """It is not overwritten, and said to be in the way."""
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
    def test_they_ask_as_whoever_signed_in(self, served: str, stored: Path):
        """With a session that is kept they want no name; a token that is refused is renewed, and kept."""
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
    def test_a_command_leaves_a_session_that_it_did_not_begin(
        self, served: str, signed_in: str, stored: Path, monkeypatch: pytest.MonkeyPatch, source: str
    ):
        """`sign_out` ends only a session that began with a password: the stored one, or one in a variable, stays."""
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

    def test_a_command_ends_the_session_that_it_began(self, token: Any, served: str):
        """A session that began with a password, for one command, ends with the command."""
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
