"""`taskriver watch` and `verify-stream` with two server processes, as an operator runs them."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from tests.chaos.stack import PASSWORD, Stack
from tests.support.waiting import HANG_SECONDS
from verification.client.writer import TaskWriter


async def taskriver(*arguments: str, password: str = PASSWORD) -> Process:
    """A command with a password on its standard input."""
    process = await started(*arguments, "--password-stdin")
    assert process.stdin is not None
    process.stdin.write(f"{password}\n".encode())
    process.stdin.close()
    return process


async def started(*arguments: str, tokens: Path | None = None) -> Process:
    """A command with its own file of stored sessions."""
    known = os.environ if tokens is None else os.environ | {"TASKRIVER_TOKENS": str(tokens)}
    command = (sys.executable, "-m", "cli", *arguments)
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=known)


async def line_of(stream: asyncio.StreamReader | None) -> str:
    """The next line."""
    assert stream is not None
    async with asyncio.timeout(HANG_SECONDS):
        return (await stream.readline()).decode().rstrip()


async def test_verify_stream(stack: Stack):
    """A healthy server passes, with dropped sockets and slow readers; the result is one line, and nothing is left
    behind.
    """
    await stack.a_user("operator")
    url = f"http://127.0.0.1:{stack.proxies[0].port}"
    command = await taskriver("verify-stream", url, "--username", "operator", "--seconds", "2")
    output, errors = await command.communicate()

    assert command.returncode == 0, errors.decode()
    assert output.decode().endswith(", 0 lost, 0 duplicated, 0 out of order, 0 forbidden, 0 wrong\n")
    assert int(output.decode().split()[0].replace(",", "")) > 5
    assert [task for task in await stack.tasks() if task.title.startswith("verify-stream")] == []


async def test_verify_stream_with_a_stored_session(stack: Stack, tmp_path: Path):
    """The session stored by `taskriver token` is used, and stays valid."""
    await stack.a_user("keeper")
    url = f"http://127.0.0.1:{stack.proxies[0].port}"
    tokens = tmp_path / "tokens.json"
    signing_in = await started("token", url, "--username", "keeper", "--password-stdin", tokens=tokens)
    stored, _ = await signing_in.communicate(f"{PASSWORD}\n".encode())
    verifying = await started("verify-stream", url, "--seconds", "1", tokens=tokens)
    _, errors = await verifying.communicate()
    again, _ = await (await started("token", url, tokens=tokens)).communicate()

    assert verifying.returncode == 0, errors.decode()
    assert again == stored != b""


async def test_a_wrong_password_is_reported(stack: Stack):
    """In one line."""
    url = f"http://127.0.0.1:{stack.proxies[0].port}"
    command = await taskriver("watch", url, "--username", "nobody", password="wrong")
    output, errors = await command.communicate()

    assert (command.returncode, output) == (1, b"")
    assert errors.decode() == f"taskriver: {url}/graphql: Wrong username or password.\n"


async def test_watch_shows_changes_and_reconnects(stack: Stack):
    """It reports a lost connection and the number of replayed items; Ctrl-C ends it."""
    await stack.a_user("watcher")
    proxy = stack.proxies[0]
    command = await taskriver("watch", f"127.0.0.1:{proxy.port}", "--username", "watcher", "--json")
    assert await line_of(command.stderr) == "Watching as watcher (USER). Press Ctrl-C to stop."
    writer = TaskWriter(stack.account("watcher"), "A task")
    await asyncio.sleep(0.5)
    task = await writer.create()
    assert task is not None
    created = json.loads(await line_of(command.stdout))
    proxy.refuse = True
    proxy.cut()
    lost = await line_of(command.stderr)
    await writer.edit(task)
    await writer.move(await writer.look(task) or task, "DONE")
    proxy.refuse = False
    replayed = [json.loads(await line_of(command.stdout)) for _ in range(2)]
    back = await line_of(command.stderr)
    command.send_signal(signal.SIGINT)
    await command.communicate()

    assert (created["__typename"], created["task"]["id"]) == ("TaskChanged", task.id)
    assert lost.startswith("Disconnected (")
    assert [each["changes"] for each in replayed] == [["TITLE"], ["STATUS"]]
    assert back == "Reconnected. Replayed 2 missed events."
    assert command.returncode == 0
