"""Every command of the README, run as it stands there, in the README's order: `make readme`.

The server is `taskriver dev`, which is all that `make run` starts, on a port and in a folder of the test; the tour's
address and its folders below /tmp are replaced accordingly, and nothing else. Needs node 20, and a network to install
from.
"""

import os
import re
import select
import subprocess
import time

from tests.readme.terminal import Terminal
from tests.readme.text import README, blocks
from tests.support.waiting import HANG_SECONDS

PROMISED_LINE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z  TODO → IN_PROGRESS  Try the tour  \(alice\)$", re.MULTILINE)
MAKE, WATCH = "make ", "watch."


def test_the_tour(terminal: Terminal):
    """Every request succeeds, and each listener prints the expected line when the task of the tour changes."""
    typed = [block for block in blocks() if MAKE not in block]
    setup, *asked = [block for block in typed if WATCH not in block]
    listeners = [terminal.start(setup + block) for block in typed if WATCH in block]
    assert (len(asked), len(listeners)) == (4, 2)
    try:
        for listener in listeners:
            _read(listener, "Ctrl-C stops.", within=2 * HANG_SECONDS)
        sign_in, ask, change, rest = asked
        out = terminal.run(f"{setup}\n{sign_in}\n{ask}\n{change}")
        assert '"username": "alice"' in out
        assert '"totalCount"' in out
        assert '"status":"IN_PROGRESS"' in out
        for listener in listeners:
            assert PROMISED_LINE.search(_read(listener, "Try the tour"))
        assert '"owner_uuid"' in terminal.run(setup + rest)
    finally:
        for listener in listeners:
            os.killpg(listener.pid, 9)
            listener.communicate()


def _read(listener: "subprocess.Popen[str]", wanted: str, within: float = HANG_SECONDS) -> str:
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
