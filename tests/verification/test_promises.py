"""The promises: README shows those that are tried, and what breaks one is seen."""

import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import pytest

from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from tests.embedded.environment import PROJECT
from verification.history import Item, ItemKind, TaskFacts
from verification.promises import bad_input, secrecy, speed
from verification.promises.promise import PROMISES
from verification.promises.stack import Outcome, PromiseNotTried, Stack

ME, OWNER, MINE, FOREIGN = uuid4(), uuid4(), uuid4(), uuid4()


def test_readme_lists_the_promises():
    """The rows of README's table are the promises, in their order, each with its command."""
    table = (PROJECT / "README.md").read_text().partition("| promise |")[2].partition("\n\n")[0]
    rows = [re.fullmatch(r"\| (.+?) \| .+ \| `(.+)` \|", line) for line in table.splitlines()[2:]]

    assert [row.groups() for row in rows if row] == [(each.text, each.command) for each in PROMISES]
    assert all(rows)


def an_item(task_id: UUID, assignee: UUID | None, *, kind: ItemKind = ItemKind.CHANGED) -> Item:
    """Something about a task, with the task as it is shown, unless it is gone."""
    now = datetime.now(UTC)
    facts = TaskFacts(task_id, 1, TaskStatus.TODO, "A task", OWNER, assignee)
    item = Item(StreamCursor("e", 1, 1), kind, now, 0.0, task_id, facts, None, None, None, None)
    return item if kind is ItemKind.CHANGED else replace(item, task=None)


@pytest.mark.parametrize(
    ("item", "fair"),
    [
        (an_item(MINE, ME), True),
        (an_item(MINE, None, kind=ItemKind.GONE), True),
        (an_item(MINE, None), False),
        (an_item(FOREIGN, None), False),
        (an_item(FOREIGN, None, kind=ItemKind.GONE), False),
    ],
    ids=["while it is mine", "gone", "not mine any more", "never mine", "never mine, gone"],
)
def test_expected_visibility(item: Item, fair: bool):
    """A task is visible only to its owner and assignee."""
    assert secrecy.may_receive(item, {MINE}, ME) is fair


@pytest.mark.parametrize(
    ("status", "body", "seen"), [(404, b"", 404), (503, b"", 503), (200, b'{"code": "INTERNAL"}', 500)]
)
def test_a_500_in_any_disguise(status: int, body: bytes, seen: int):
    """A bug counts, also if it comes as data; so does no answer at all."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.handle_request).start()
        assert bad_input.status_of(f"http://127.0.0.1:{server.server_port}", ("GET", "/", None, {})) == seen
    assert bad_input.status_of(f"http://127.0.0.1:{server.server_port}", ("GET", "/", None, {})) == 599


@pytest.mark.parametrize(
    ("least", "most", "outcome"),
    [
        (1.1, 1.6, Outcome.KEPT),
        (1.0, 1.0, Outcome.KEPT),
        (0.55, 2.5, Outcome.NOT_DECIDED),
        (0.99, 1.0, Outcome.NOT_DECIDED),
        (0.5, 0.99, Outcome.BROKEN),
    ],
)
def test_a_speed_that_is_promised(least: float, most: float, outcome: Outcome):
    """All rounds must agree: a spread that crosses 1 is not decided; the measured values are printed in full."""
    spread = {"median": 1.29, "least": least, "most": most}

    measured = speed.judged({"ours": 0.75, "theirs": 1.1, "times": spread, "rate": spread | {"median": 1.1}})

    assert measured.outcome is outcome
    assert measured.value == (
        f"0.75 ms against 1.10 ms: 1.29 times as fast ({least:.2f} to {most:.2f}); "
        "asked by 32 at once 1.10 × its answers"
    )


async def test_a_missing_wrk_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Nothing is measured, and one line says what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PromiseNotTried, match=r"^wrk is missing: install it"):
        await speed.prove(Stack("", "", ""))


async def test_a_failed_comparison_is_reported(monkeypatch: pytest.MonkeyPatch):
    """With the last line of its output."""
    failing = (sys.executable, "-c", "import sys; sys.exit('Nothing\\nThe server did not come up.')")
    monkeypatch.setattr(speed, "COMPARISON", failing)

    with pytest.raises(RuntimeError, match=r"^The server did not come up\.$"):
        await speed.prove(Stack("", "", ""))
