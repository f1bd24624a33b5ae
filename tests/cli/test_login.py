"""`taskriver login` and `taskriver logout`: through a browser, with a token, and with a password."""

import asyncio
import json
import re
import socket
import stat
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from cli import loopback
from cli.browser_sign_in import link_of, shown_code
from cli.errors import CommandError
from cli.loopback import listening
from cli.stored_sessions import store
from tests.cli.conftest import CommandResult, Run
from verification.client.http import Api

PASSWORD = b"Correct-horse1\n"
STATE = "s" * 43
LOGIN = "mutation ($input: LoginInput!) { in: login(input: $input) { accessToken } }"
CREATE = (
    "mutation ($input: CreateSignInCodeInput!) { in: createSignInCode(input: $input) { code userErrors { message } } }"
)


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
def ada(run: Run, database_url: str, stored: Path, names: list[str]) -> str:
    """The name of a user."""
    if not names:
        create = ("user", "create", "ada", "a@example.org", "--password-stdin")
        assert run(*create, stdin=PASSWORD, DATABASE_URL=database_url).code == 0
        names.append("ada")
    return "ada"


@pytest.fixture
def browser(served: str, ada: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Decides what the browser that the command opens does with the link; by default it confirms as ada."""
    monkeypatch.setenv("BROWSER", "a-browser")
    threads: list[threading.Thread] = []

    def decides(use: Callable[[dict[str, str]], Any]) -> None:
        def opened(link: str) -> None:
            values = {name: found[0] for name, found in parse_qs(urlsplit(link).query).items()}
            threads.append(threading.Thread(target=use, args=(values,)))
            threads[-1].start()

        monkeypatch.setattr(webbrowser, "open", opened)

    decides(lambda values: answer(values, code=confirm(served, values)))
    yield decides
    for thread in threads:
        thread.join()


def confirm(served: str, values: dict[str, str]) -> str:
    """The code that the page creates."""
    api = Api(f"{served}/graphql")

    async def create() -> str:
        credentials = {"username": "ada", "password": PASSWORD.decode().strip()}
        token = (await api.ask(LOGIN, {"input": credentials}))["in"]["accessToken"]
        names = {"codeChallenge": values["challenge"], "port": int(values["port"]), "clientName": values["client"]}
        return str((await api.ask(CREATE, {"input": names}, token))["in"]["code"])

    return asyncio.run(create())


def answer(values: dict[str, str], **changed: str) -> httpx.Response:
    """The redirect of the page."""
    sent = {"state": values["state"]} | changed
    return httpx.get(f"http://127.0.0.1:{values['port']}/callback", params=sent)


class TestBrowser:
    def test_a_confirmed_sign_in_is_stored(
        self, run: Run, served: str, stored: Path, browser: Callable[..., None]
    ) -> None:
        """For other commands, in a file that only its owner can read, without anything that was in the link."""
        result = run("login", served)
        found = json.loads(stored.read_text())["sessions"]

        assert (result.code, result.out) == (0, f"You are signed in as ada at {served}/graphql.\n")
        assert stat.S_IMODE(stored.stat().st_mode) == 0o600
        assert [each["username"] for each in found] == ["ada"]
        assert run("token", served).out == f"{found[0]['access_token']}\n"
        link = re.search(r"http://\S+", result.err)
        assert link is not None
        assert all(
            value[0] not in stored.read_text()
            for value in parse_qs(urlsplit(link[0]).query).values()
            if len(value[0]) > 20
        )

    def test_the_user_can_refuse(self, run: Run, served: str, stored: Path, browser: Callable[..., None]) -> None:
        """Then nothing is stored."""
        browser(lambda values: answer(values, error="access_denied"))
        result = run("login", served)
        assert (result.code, result.out) == (1, "")
        assert "taskriver: You did not confirm the sign-in in the browser." in result.err
        assert not stored.exists()

    def test_a_wrong_state_changes_nothing(self, run: Run, served: str, browser: Callable[..., None]) -> None:
        """Another site cannot let the command sign in as another user: it does not know the state."""
        seen: list[int] = []

        def use(values: dict[str, str]) -> None:
            code = confirm(served, values)
            seen.extend(answer(values, code="other", state=state).status_code for state in ("", "x", "é"))
            seen.append(answer(values, code=code).status_code)

        browser(use)
        assert run("login", served).code == 0
        assert seen == [400, 400, 400, 200]

    def test_a_code_of_another_program_is_refused(self, run: Run, served: str, browser: Callable[..., None]) -> None:
        """Its challenge is not of this command's secret, so no foreign session is stored."""
        browser(lambda values: answer(values, code=confirm(served, values | {"challenge": "x" * 43})))
        result = run("login", served)
        assert (result.code, result.out) == (1, "")
        assert "The sign-in code is unknown, used or expired." in result.err

    def test_without_a_browser_the_link_is_printed(
        self, run: Run, served: str, monkeypatch: pytest.MonkeyPatch, browser: Callable[..., None]
    ) -> None:
        """And nothing is opened."""
        monkeypatch.setattr(loopback.Listener.code, "__kwdefaults__", {"seconds": 0.1})
        browser(lambda values: pytest.fail("a browser was opened"))
        result = run("login", served, "--no-open")
        assert result.code == 1
        assert "Nobody confirmed the sign-in within five minutes" in result.err
        assert f"{served}/account/cli?port=" in result.err


def test_the_link_and_the_code():
    """The page is beside the endpoint, whatever is before it; both sides show the same eight characters."""
    link = link_of("https://example.org/tasks/graphql", challenge="abcdEFGH" + "x" * 35, state=STATE, port=5)
    assert link.startswith(
        f"https://example.org/tasks/account/cli?port=5&challenge=abcdEFGH{'x' * 35}&state={STATE}&client="
    )
    assert shown_code("abcdEFGH" + "x" * 35) == "abcd EFGH"


class TestListener:
    def test_only_this_machine_reaches_it(self) -> None:
        """It listens on 127.0.0.1, and a page whose name leads there gets nothing."""
        with listening(STATE) as listener:
            host = {"host": f"evil.example:{listener.port}"}
            values = {"code": "c", "state": STATE}
            url = f"http://127.0.0.1:{listener.port}"
            assert httpx.get(f"{url}/callback", params=values, headers=host).status_code == 400
            assert httpx.get(f"{url}/other", params=values).status_code == 400
            assert httpx.get(f"{url}/callback", params={"state": STATE}).status_code == 400
            assert httpx.post(f"{url}/callback", params=values).status_code == 501
            assert httpx.get(f"{url}/callback?state={STATE}&state={STATE}&code=c").status_code == 400
            done = httpx.get(f"{url}/callback", params=values)
            assert (done.status_code, done.headers["cache-control"]) == (200, "no-store")
            assert listener.code(seconds=5) == "c"

    def test_connections_that_send_nothing_do_not_stop_it(self) -> None:
        """Browsers open them in advance."""
        with listening(STATE) as listener, socket.create_connection(("127.0.0.1", listener.port)):
            httpx.get(f"http://127.0.0.1:{listener.port}/callback", params={"code": "c", "state": STATE})
            assert listener.code(seconds=5) == "c"

    def test_a_port_in_use(self) -> None:
        """The error says which."""
        with (
            listening(STATE) as listener,
            pytest.raises(CommandError, match=rf"127\.0\.0\.1:{listener.port}"),
            listening(STATE, port=listener.port),
        ):
            pass


class TestOthers:
    def test_with_a_password_and_out_again(self, run: Run, served: str, ada: str, stored: Path) -> None:
        """The session ends at the server."""
        login = ("login", served, "--username", ada, "--password-stdin")
        result = run(*login, stdin=PASSWORD)
        assert (result.code, result.err) == (0, "")
        token = json.loads(stored.read_text())["sessions"][0]["access_token"]

        assert run("logout", served).out == f"ada is signed out at {served}/graphql.\n"
        assert json.loads(stored.read_text())["sessions"] == []
        about_me = f"{served}/api/v1/users/about_me/"
        assert httpx.get(about_me, headers={"authorization": f"Bearer {token}"}).status_code == 401
        assert run("logout", served).refusal == f"There is no stored session at {served}/graphql."

    def test_a_token_is_checked_and_not_stored(self, run: Run, served: str, ada: str, stored: Path) -> None:
        """Commands use the token in the environment before any session."""
        run("login", served, "--username", ada, "--password-stdin", stdin=PASSWORD)
        token = run("token", served).out.strip()
        stored.unlink()

        def check(text: str) -> CommandResult:
            return run("login", served, TASKRIVER_TOKEN=text)

        assert check(token).out == f"TASKRIVER_TOKEN has a valid token of ada at {served}/graphql. Nothing is stored.\n"
        assert not stored.exists()
        assert check("nonsense").refusal.startswith(f"{served}/graphql does not accept the token in TASKRIVER_TOKEN")
