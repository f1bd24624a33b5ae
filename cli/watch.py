"""`taskriver watch`: print the live event stream, on a terminal or to a pipe."""

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.text import Text

from cli.errors import server_error
from cli.output import examples, say
from cli.sign_in import DEFAULT_URL, PasswordFromStdin, ServerURL, Username, endpoint, sign_in
from domain.stream_cursor import StreamCursor
from server import signals
from verification.client.account import Account
from verification.client.failures import Failed
from verification.client.follower import Follower
from verification.client.lists import read_cursor
from verification.history import Item, ItemKind, TaskFacts

AsJSON = Annotated[bool, typer.Option("--json", help="One JSON object per line, as the API sends it.")]
After = Annotated[str | None, typer.Option(metavar="CURSOR", help="Start with the events after this stream cursor.")]

EXAMPLES: Final = examples(
    "taskriver watch --username alice",
    "taskriver watch https://tasks.example.org --json | jq .task.title",
)

QUIET_SECONDS: Final = 1.0
"""After this time without an event, the replay after a reconnect is complete."""
_STYLES: Final = {ItemKind.GONE: "yellow", ItemKind.DELETED: "red", ItemKind.RESYNC: "bold yellow"}


def watch(
    url: ServerURL = DEFAULT_URL,
    username: Username = None,
    password_stdin: PasswordFromStdin = False,
    as_json: AsJSON = False,
    after: After = None,
) -> None:
    """Print changes of tasks as they happen.

    Signs in with a username and a password, or uses the access token in TASKRIVER_TOKEN, or the session of
    `taskriver login`. When the connection is lost, the command reconnects, continues at the last event, and reports it
    on standard error. Ctrl-C stops it.
    """
    api = endpoint(url)
    account = sign_in(api, username, password_stdin=password_stdin)
    show = _json_line if as_json else _screen()
    try:
        signals.run(_watch(account, Watcher(account, show, _remark), _cursor(after)))
    except Failed as failed:
        raise server_error(api.url, failed) from None


async def _watch(account: Account, watcher: "Watcher", after: StreamCursor | None) -> None:
    me = await account.me()
    _remark(f"Watching as {me.username} ({me.role.value}). Press Ctrl-C to stop.")
    follower = Follower(account, account.api, watcher, lists=False, after=after)
    await follower.run()


class Watcher:
    """Shows items, and reports lost connections and how many events were replayed after them."""

    def __init__(self, account: Account, show: Callable[[dict[str, Any]], None], remark: Callable[[str], None]) -> None:
        self._account = account
        self._show = show
        self._remark = remark
        self._lost = False
        self._since: list[int] = []
        self._summing_up: asyncio.Task[None] | None = None

    def opened(self, after: StreamCursor, snapshot: tuple[TaskFacts, ...] | None, session_id: UUID | None) -> None:
        """Begin to count replayed events, if the connection was lost before."""
        if self._lost:
            self._lost, self._since = False, []
            self._summing_up = asyncio.create_task(self._sum_up())

    def received(self, item: Item, raw: dict[str, Any]) -> None:
        """Show the item."""
        if item.kind is ItemKind.RESYNC:
            self._remark(
                f"The stream cannot continue at the cursor ({item.reason}). Changes are missing: load your lists again."
            )
        elif self._summing_up is not None:
            self._since.append(item.cursor.position)
        self._show(raw)

    def lost(self, error: Failed) -> None:
        """Report the lost connection once, and not for each attempt."""
        if self._summing_up is not None:
            self._summing_up.cancel()
            self._summing_up = None
        if not self._lost:
            self._remark(f"Disconnected ({error}). Reconnecting …")
        self._lost = True

    async def _sum_up(self) -> None:
        """Report how many events were missed: those up to the head of the stream at the time of the reconnect."""
        try:
            head = (await read_cursor(self._account)).position
        except Failed:
            return
        seen = -1
        while seen != len(self._since):
            seen = len(self._since)
            await asyncio.sleep(QUIET_SECONDS)
        self._summing_up = None
        missed = sum(position <= head for position in self._since)
        self._remark(f"Reconnected. {_replayed(missed)}.")


def _replayed(missed: int) -> str:
    if not missed:
        return "No event was missed"
    return "Replayed 1 missed event" if missed == 1 else f"Replayed {missed} missed events"


def _cursor(text: str | None) -> StreamCursor | None:
    return StreamCursor.decode(text) if text is not None else None


def _remark(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _json_line(raw: dict[str, Any]) -> None:
    say(json.dumps(raw, ensure_ascii=False))


def _screen() -> Callable[[dict[str, Any]], None]:
    """Prints the same text with colours on a terminal, and without colours elsewhere."""
    if not sys.stdout.isatty():
        return lambda raw: say(line(raw))
    console = Console(highlight=False, soft_wrap=True)

    def show(raw: dict[str, Any]) -> None:
        time, rest = line(raw).split("  ", 1)
        console.print(Text.assemble((time, "dim"), "  ", (rest, _STYLES.get(ItemKind(raw["__typename"]), ""))))

    return show


def line(raw: dict[str, Any]) -> str:
    """The line for one item."""
    time = datetime.fromisoformat(raw["at"]).astimezone().strftime("%H:%M:%S")
    return f"{time}  {_WORDS[ItemKind(raw['__typename'])](raw)}"


def _changed(raw: dict[str, Any]) -> str:
    by = (raw["by"] or {}).get("username", "operator")
    changes = "+".join(raw["changes"]) or "CHANGED" if "changes" in raw else f"{raw['from']}→{raw['to']}"
    return f"{changes:22}  {_task(raw)}  ({by})"


def _task(raw: dict[str, Any]) -> str:
    task = raw["task"]
    if task is None:
        return f"{raw['taskId']}  (deleted since)"
    # A title is input of another user: control characters in it must not reach the terminal.
    title = "".join(each if each.isprintable() else "�" for each in task["title"])
    return f"{task['status']:11}  v{task['version']:<4} {title}"


def _gone(raw: dict[str, Any]) -> str:
    return f"{'GONE':22}  {raw['taskId']}  (no longer visible to you)"


def _deleted(raw: dict[str, Any]) -> str:
    return f"{'DELETED':22}  {raw['taskId']}"


def _resync(raw: dict[str, Any]) -> str:
    return f"{'RESYNC':22}  {raw['reason']}"


_WORDS: Final[dict[ItemKind, Callable[[dict[str, Any]], str]]] = {
    ItemKind.CHANGED: _changed,
    ItemKind.MOVED: _changed,
    ItemKind.GONE: _gone,
    ItemKind.DELETED: _deleted,
    ItemKind.RESYNC: _resync,
}
