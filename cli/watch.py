"""`taskriver watch`: the live stream, in a terminal or through a pipe."""

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

from cli.errors import without_help
from cli.output import examples, say
from cli.sign_in import DEFAULT_URL, PasswordFromStdin, ServerURL, Username, endpoint, sign_in
from domain.stream_cursor import StreamCursor
from server import signals
from verification.client.account import Account
from verification.client.failures import Failed
from verification.client.follower import Follower
from verification.client.lists import read_cursor
from verification.history import Item, Kind, TaskFacts

AsJSON = Annotated[bool, typer.Option("--json", help="One JSON object a line, as the API tells it.")]
After = Annotated[str | None, typer.Option(metavar="CURSOR", help="A stream cursor: begin with what happened since.")]

EXAMPLES: Final = examples(
    "taskriver watch --username alice",
    "taskriver watch https://tasks.example.org --json | jq .task.title",
)

QUIET_SECONDS: Final = 1.0
"""Without an event after coming back, for so long, there is nothing more to make up for."""
_STYLES: Final = {Kind.GONE: "yellow", Kind.DELETED: "red", Kind.RESYNC: "bold yellow"}


def watch(
    url: ServerURL = DEFAULT_URL,
    username: Username = None,
    password_stdin: PasswordFromStdin = False,
    as_json: AsJSON = False,
    after: After = None,
) -> None:
    """Print changes of tasks as they happen.

    Signs in with a name and a password, else asks with the access token in TASKRIVER_TOKEN, or as whoever signed in by
    `taskriver token`. When the connection is lost it comes back, continues where it was, and says so on standard
    error. Ctrl-C stops.
    """
    api = endpoint(url)
    account = sign_in(api, username, password_stdin=password_stdin)
    screen = _json_line if as_json else _screen()
    try:
        signals.run(_watch(account, Watcher(account, screen, _remark), _cursor(after)))
    except Failed as failed:
        raise without_help(api.url, failed) from None


async def _watch(account: Account, watcher: "Watcher", after: StreamCursor | None) -> None:
    me = await account.me()
    _remark(f"Watching as {me.username} ({me.role.value}); Ctrl-C stops.")
    follower = Follower(account, account.place, watcher, lists=False, after=after)
    await follower.run()


class Watcher:
    """Shows items, and says honestly when it was away and how much it has made up for."""

    def __init__(self, account: Account, show: Callable[[dict[str, Any]], None], remark: Callable[[str], None]) -> None:
        self._account = account
        self._show = show
        self._remark = remark
        self._lost = False
        self._since: list[int] = []
        self._summing_up: asyncio.Task[None] | None = None

    def opened(self, after: StreamCursor, snapshot: tuple[TaskFacts, ...] | None, session_id: UUID | None) -> None:
        """Count what comes now, if we were away, until it is news again."""
        if self._lost:
            self._lost, self._since = False, []
            self._summing_up = asyncio.create_task(self._sum_up())

    def told(self, item: Item, raw: dict[str, Any]) -> None:
        """Show it."""
        if item.kind is Kind.RESYNC:
            self._remark(f"The cursor cannot be continued ({item.reason}): changes are missing, read your lists again.")
        elif self._summing_up is not None:
            self._since.append(item.cursor.position)
        self._show(raw)

    def lost(self, error: Failed) -> None:
        """Say it once, and not for each attempt."""
        if self._summing_up is not None:
            self._summing_up.cancel()
            self._summing_up = None
        if not self._lost:
            self._remark(f"Disconnected ({error}); trying again …")
        self._lost = True

    async def _sum_up(self) -> None:
        """What lay between where we were and where the stream stood when we came back was missed."""
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
        self._remark(f"Reconnected; {_replayed(missed)}.")


def _replayed(missed: int) -> str:
    if not missed:
        return "nothing was missed"
    return "replayed the one event that was missed" if missed == 1 else f"replayed {missed} events that were missed"


def _cursor(text: str | None) -> StreamCursor | None:
    return StreamCursor.decode(text) if text is not None else None


def _remark(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _json_line(raw: dict[str, Any]) -> None:
    say(json.dumps(raw, ensure_ascii=False))


def _screen() -> Callable[[dict[str, Any]], None]:
    """Coloured on a terminal, plain elsewhere: the same words."""
    if not sys.stdout.isatty():
        return lambda raw: say(line(raw))
    console = Console(highlight=False, soft_wrap=True)

    def show(raw: dict[str, Any]) -> None:
        time, rest = line(raw).split("  ", 1)
        console.print(Text.assemble((time, "dim"), "  ", (rest, _STYLES.get(Kind(raw["__typename"]), ""))))

    return show


def line(raw: dict[str, Any]) -> str:
    """One item in one line."""
    time = datetime.fromisoformat(raw["at"]).astimezone().strftime("%H:%M:%S")
    return f"{time}  {_WORDS[Kind(raw['__typename'])](raw)}"


def _changed(raw: dict[str, Any]) -> str:
    by = (raw["by"] or {}).get("username", "operator")
    changes = "+".join(raw["changes"]) or "CHANGED" if "changes" in raw else f"{raw['from']}→{raw['to']}"
    return f"{changes:22}  {_task(raw)}  ({by})"


def _task(raw: dict[str, Any]) -> str:
    task = raw["task"]
    if task is None:
        return f"{raw['taskId']}  (deleted since)"
    # A title is somebody else's text: nothing in it may move the cursor or colour the rest.
    title = "".join(each if each.isprintable() else "�" for each in task["title"])
    return f"{task['status']:11}  v{task['version']:<4} {title}"


def _gone(raw: dict[str, Any]) -> str:
    return f"{'GONE':22}  {raw['taskId']}  (no longer yours to see)"


def _deleted(raw: dict[str, Any]) -> str:
    return f"{'DELETED':22}  {raw['taskId']}"


def _resync(raw: dict[str, Any]) -> str:
    return f"{'RESYNC':22}  {raw['reason']}"


_WORDS: Final[dict[Kind, Callable[[dict[str, Any]], str]]] = {
    Kind.CHANGED: _changed,
    Kind.MOVED: _changed,
    Kind.GONE: _gone,
    Kind.DELETED: _deleted,
    Kind.RESYNC: _resync,
}
