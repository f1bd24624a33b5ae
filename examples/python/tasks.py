"""Lists, moves and watches tasks from Python: `python tasks.py --help`."""

import argparse
import asyncio
import os
import sys
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from resumable import Item, listen

STATUSES = ("TODO", "IN_PROGRESS", "DONE", "CANCELLED")
GRANT = "accessToken refreshToken userErrors { message }"
LOGIN = f"mutation SignIn($input: LoginInput!) {{ grant: login(input: $input) {{ {GRANT} }} }}"
REFRESH = f"mutation StaySignedIn($input: RefreshTokenInput!) {{ grant: refreshToken(input: $input) {{ {GRANT} }} }}"
PROJECT = "query Project($key: String!) { project(key: $key) { id } }"
LIST = """query Tasks($project: ID, $after: String) { tasks(first: 50, after: $after, filter: {projectId: $project}) {
  streamCursor nodes { id key title status } pageInfo { hasNextPage endCursor } } }"""
MOVE = """mutation MoveTask($input: UpdateTaskStatusInput!) {
  updateTaskStatus(input: $input) { task { id title status } userErrors { message } } }"""
WATCH = """subscription TaskMoves($project: ID, $after: String) {
  taskStatusChanged(after: $after, filter: {projectId: $project}) {
  __typename cursor at task { id title } ... on TaskStatusChanged { from to by { username } } } }"""


class Refused(Exception):
    """The server said no, in these words."""


class Account:
    """A user who signs in once and stays signed in: each refresh token is valid for one use."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self._password = {"username": username, "password": password, "returnRefreshToken": True}
        self.token = self._refresh_token = ""
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Data of a query or mutation; if the token has expired, it is asked again with another one."""
        token = self.token or await self.renewed("")
        try:
            return await self._send(query, variables, token)
        except TransportQueryError as error:
            if not _is_unauthenticated(error):
                raise
        return await self._send(query, variables, await self.renewed(token))

    async def access_token(self, refused: bool) -> str:
        """What a stream asks for before it connects."""
        return await self.renewed(self.token) if refused else self.token or await self.renewed("")

    async def renewed(self, refused: str) -> str:
        """Another token than the refused one; it is fetched once, however many ask at the same time."""
        async with self._one_at_a_time:
            if self.token == refused:
                asked = {"refreshToken": self._refresh_token} if self._refresh_token else self._password
                grant = (await self._send(REFRESH if self._refresh_token else LOGIN, {"input": asked}))["grant"]
                if not grant["accessToken"]:
                    raise Refused(grant["userErrors"][0]["message"])
                self.token, self._refresh_token = grant["accessToken"], grant["refreshToken"]
            return self.token

    async def _send(self, query: str, variables: dict[str, Any], token: str = "") -> dict[str, Any]:
        transport = HTTPXAsyncTransport(self.url, headers={"authorization": f"Bearer {token}"} if token else {})
        async with Client(transport=transport) as session:
            data: dict[str, Any] = await session.execute(GraphQLRequest(query, variable_values=variables))
            return data


async def project_id(account: Account, key: str | None) -> str | None:
    """The id of the project with this key; without a key None, which means all tasks."""
    if key is None:
        return None
    project = (await account.ask(PROJECT, key=key))["project"]
    if project is None:
        raise Refused(f"There is no project {key}, or you are not a member of it.")
    return str(project["id"])


async def print_tasks(account: Account, project: str | None) -> str:
    """Every task, page by page; returns where the stream stood before the first page was read."""
    after = cursor = None
    while True:
        tasks = (await account.ask(LIST, project=project, after=after))["tasks"]
        cursor = cursor or tasks["streamCursor"]
        for task in tasks["nodes"]:
            print(f"{task['id']}  {task['status']:<11}  {task['key'] or '':<8}  {task['title']}")
        if not tasks["pageInfo"]["hasNextPage"]:
            return str(cursor)
        after = tasks["pageInfo"]["endCursor"]


async def move(account: Account, task_id: str, status: str) -> None:
    """Move a task to another column."""
    moved = (await account.ask(MOVE, input={"id": task_id, "status": status}))["updateTaskStatus"]
    if moved["userErrors"]:
        raise Refused(moved["userErrors"][0]["message"])
    print(f"{moved['task']['title']} is {moved['task']['status']}.")


async def watch(account: Account, project: str | None) -> None:
    """Print the tasks, then each move as it happens; whatever happens to the connection, none is missed."""

    async def read_again(_: Item) -> str:
        return await print_tasks(account, project)

    cursor = await print_tasks(account, project)
    print("Watching; Ctrl-C stops.", flush=True)
    url, token = account.url.replace("http", "ws", 1), account.access_token
    variables = {"after": cursor, "project": project}
    async for item in listen(url, WATCH, access_token=token, variables=variables, on_resync=read_again):
        if "to" in item:
            by = (item["by"] or {}).get("username", "operator")
            print(f"{item['at']}  {item['from']} → {item['to']}  {item['task']['title']}  ({by})", flush=True)


def _is_unauthenticated(error: TransportQueryError) -> bool:
    return any(each.get("extensions", {}).get("code") == "UNAUTHENTICATED" for each in error.errors or [])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000/graphql")
    parser.add_argument("--user", default="alice")
    parser.add_argument("--password", default=os.environ.get("TASKRIVER_PASSWORD", "Taskriver-1"))
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="print the tasks that you may see")
    moving = commands.add_parser("move", help="move a task to another column")
    moving.add_argument("id")
    moving.add_argument("status", choices=STATUSES)
    watching = commands.add_parser("watch", help="print moves as they happen")
    for each in (listing, watching):
        each.add_argument("--project", metavar="KEY", help="only the tasks of this project, such as SHOP")
    return parser.parse_args()


async def main() -> None:
    """What the command line asks for."""
    options = _options()
    account = Account(options.url, options.user, options.password)
    if options.command == "move":
        await move(account, options.id, options.status)
    else:
        project = await project_id(account, options.project)
        await {"list": print_tasks, "watch": watch}[options.command](account, project)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # as in `tasks.py list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except TransportQueryError as error:
        sys.exit((error.errors or [{"message": str(error)}])[0]["message"])
    except (Refused, TransportError, OSError) as error:
        sys.exit(str(error))
