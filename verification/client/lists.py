"""Reads all visible tasks, and the position of the stream."""

from typing import Final

from domain.stream_cursor import StreamCursor
from verification.client.account import Account
from verification.client.reading import TASK, cursor_of, facts_of
from verification.history import TaskFacts

_TASKS: Final = f"""query ($after: String, $filter: TaskFilter) {{
  tasks(first: 100, after: $after, filter: $filter, orderBy: CREATED_ASC) {{
  streamCursor nodes {{ {TASK} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
_CURSOR: Final = "{ tasks(first: 1) { streamCursor } }"


async def read_tasks(account: Account, search: str | None = None) -> tuple[StreamCursor, tuple[TaskFacts, ...]]:
    """All tasks, or those that match *search*, page by page, and the stream cursor of the first page.

    Raises:
        Refused, Unreachable: see `Api.ask`.
    """
    cursor, found, after = None, [], None
    wanted = {"search": search} if search is not None else None
    while True:
        page = (await account.ask(_TASKS, {"after": after, "filter": wanted}))["tasks"]
        cursor = cursor or page["streamCursor"]
        found += [facts_of(task) for task in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return cursor_of(cursor), tuple(found)
        after = page["pageInfo"]["endCursor"]


async def read_cursor(account: Account) -> StreamCursor:
    """The current position of the stream.

    Raises:
        Refused, Unreachable: see `Api.ask`.
    """
    return cursor_of((await account.ask(_CURSOR))["tasks"]["streamCursor"])
