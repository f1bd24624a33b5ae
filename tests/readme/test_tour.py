"""Every command of the README, run as it stands there, in the README's order: `make readme`.

The server is `taskriver dev`, which is all that `make run` starts, on a port and in a folder of this test's; the tour's
addresses and its folders below /tmp are replaced accordingly, and nothing else. Needs node 20, and a network to install
from.
"""

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readme.text import README, ROOT, blocks
from tests.support.processes import Dev

PROMISED_LINE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z  TODO → IN_PROGRESS  Try the tour  \(alice\)$", re.MULTILINE)
MAKE, WATCH = "make ", "watch."
SECONDS = 60
INSTALLING_SECONDS = 240


class Terminal:
    """A shell in the repository, where the tour's paths and addresses mean this test's."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url

    def start(self, script: str) -> "subprocess.Popen[str]":
        """Begin a script that ends at the first command that fails."""
        # The listeners take another address as their last argument.
        mine = re.sub(r"(watch\.\w+ \w+ \S+)", rf"\1 {self._url}/graphql", script)
        mine = mine.replace("http://127.0.0.1:8000", self._url).replace("/tmp/watch", f"{self._folder}/watch")  # noqa: S108
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", mine],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def run(self, script: str) -> str:
        """What a script prints; it succeeds."""
        with self.start(script) as shell:
            out, _ = shell.communicate(timeout=SECONDS)
        assert shell.returncode == 0, out
        return out


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    """What `make run` starts."""
    server = Dev(tmp_path)
    try:
        server.says("Ctrl-C stops everything.", within=INSTALLING_SECONDS)
        yield server
    finally:
        server.clean_up()


@pytest.fixture
def terminal(tmp_path: Path, dev: Dev) -> Terminal:
    """A terminal beside it."""
    return Terminal(tmp_path, dev.url)


@pytest.mark.timeout(400)
def test_the_tour(terminal: Terminal):
    """Everything asked is answered, and each listener prints the promised line when the tour's task moves."""
    asked = [block for block in blocks() if MAKE not in block and WATCH not in block]
    listeners = [terminal.start(block) for block in blocks() if WATCH in block]
    assert (len(asked), len(listeners)) == (4, 2)
    try:
        for listener in listeners:
            _read(listener, "Ctrl-C stops.", within=INSTALLING_SECONDS)
        sign_in, ask, change, rest = asked
        out = terminal.run(f"{sign_in}\n{ask}\n{change}")
        assert '"username": "alice"' in out
        assert '"totalCount"' in out
        assert '"status":"IN_PROGRESS"' in out
        for listener in listeners:
            assert PROMISED_LINE.search(_read(listener, "Try the tour"))
        assert '"owner_uuid"' in terminal.run(rest)
    finally:
        for listener in listeners:
            os.killpg(listener.pid, 9)
            listener.communicate()


def _read(listener: "subprocess.Popen[str]", wanted: str, within: float = SECONDS) -> str:
    """What a listener prints, up to the line that holds this."""
    assert listener.stdout is not None
    lines: list[str] = []
    deadline = time.monotonic() + within
    while not lines or wanted not in lines[-1]:
        ready, _, _ = select.select([listener.stdout], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} was not printed within {within} s: {''.join(lines)}"
        line = listener.stdout.readline()
        assert line, f"it ended: {''.join(lines)}"
        lines.append(line)
    return "".join(lines)


def test_the_promised_line_is_the_readmes():
    """What the README shows of a listener is what this test waits for."""
    assert PROMISED_LINE.search(README)
