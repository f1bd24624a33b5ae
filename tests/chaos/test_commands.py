"""`taskriver watch` and `verify-stream` against two real processes, as an operator runs them."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process

from tests.chaos.stack import PASSWORD, Stack
from verification.client.writer import Writer


async def taskriver(*arguments: str, password: str = PASSWORD) -> Process:
    """A command that was given a password on its standard input."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "graphql_api", *arguments, "--password-stdin", stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert process.stdin is not None
    process.stdin.write(f"{password}\n".encode())
    process.stdin.close()
    return process


async def line_of(stream: asyncio.StreamReader | None) -> str:
    """The next line."""
    assert stream is not None
    async with asyncio.timeout(30):
        return (await stream.readline()).decode().rstrip()


async def test_verify_stream(stack: Stack):
    """A sound server passes, with dropped sockets and slow readers, in one line, and nothing is left behind."""
    await stack.a_user("operator")
    url = f"http://127.0.0.1:{stack.doors[0].port}"
    command = await taskriver("verify-stream", url, "--username", "operator", "--seconds", "2")
    said, remarks = await command.communicate()

    assert command.returncode == 0, remarks.decode()
    assert said.decode().endswith(", 0 lost, 0 duplicated, 0 out of order, 0 forbidden, 0 wrong\n")
    assert int(said.decode().split()[0].replace(",", "")) > 5
    assert [task for task in await stack.tasks() if task.title.startswith("verify-stream")] == []


async def test_a_wrong_password(stack: Stack):
    """Who cannot sign in is told so in one line."""
    url = f"http://127.0.0.1:{stack.doors[0].port}"
    command = await taskriver("watch", url, "--username", "nobody", password="wrong")
    said, remarks = await command.communicate()

    assert (command.returncode, said) == (1, b"")
    assert remarks.decode() == f"taskriver: {url}/graphql: Wrong username or password.\n"


async def test_watch(stack: Stack):
    """What happens is shown; a lost connection is said, as is how much was replayed; Ctrl-C ends it."""
    await stack.a_user("watcher")
    door = stack.doors[0]
    command = await taskriver("watch", f"127.0.0.1:{door.port}", "--username", "watcher", "--json")
    assert await line_of(command.stderr) == "Watching as watcher (USER); Ctrl-C stops."
    writer = Writer(stack.account("watcher"), "A task")
    await asyncio.sleep(0.5)
    task = await writer.create()
    assert task is not None
    created = json.loads(await line_of(command.stdout))
    door.refuse = True
    door.cut()
    lost = await line_of(command.stderr)
    await writer.edit(task)
    await writer.move(await writer.look(task) or task, "DONE")
    door.refuse = False
    replayed = [json.loads(await line_of(command.stdout)) for _ in range(2)]
    back = await line_of(command.stderr)
    command.send_signal(signal.SIGINT)
    await command.communicate()

    assert (created["__typename"], created["task"]["id"]) == ("TaskChanged", task.id)
    assert lost.startswith("Disconnected (")
    assert [each["changes"] for each in replayed] == [["TITLE"], ["STATUS"]]
    assert back == "Reconnected; replayed 2 events that were missed."
    assert command.returncode == 0
