"""Watches tasks change their status, and survives restarts and cut connections without missing one.

pip install "gql[aiohttp,websockets]" && python watch.py alice Taskriver-1   (with resumable.py beside this file)
"""

import asyncio
import sys
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from resumable import listen

URL = "http://127.0.0.1:8000/graphql"
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { message } } }"
LISTS = "{ tasks(first: 1) { totalCount streamCursor } }"
WATCH = """subscription ($after: String) { taskStatusChanged(after: $after) {
  __typename cursor at task { title } ... on TaskStatusChanged { from to by { username } } } }"""


class Account:
    """A user who signs in again when needed."""

    def __init__(self, username: str, password: str, url: str) -> None:
        self.url = url
        self._input = {"username": username, "password": password}
        self._token = ""

    async def access_token(self, refresh: bool) -> str:
        """The token, or a new one."""
        if refresh or not self._token:
            login = (await self._ask(LOGIN, {}, input=self._input))["login"]
            if not login["accessToken"]:
                sys.exit(login["userErrors"][0]["message"])
            self._token = login["accessToken"]
        return self._token

    async def read_lists(self) -> dict[str, Any]:
        """What is shown first, and where the stream stood before it was read."""
        authorization = {"authorization": f"Bearer {await self.access_token(False)}"}
        return (await self._ask(LISTS, authorization))["tasks"]

    async def on_resync(self, item: dict[str, Any]) -> str:
        """What came before is lost."""
        return (await self.read_lists())["streamCursor"]

    async def _ask(self, query: str, headers: dict[str, str], **variables: Any) -> dict[str, Any]:
        async with Client(transport=AIOHTTPTransport(self.url, headers=headers)) as session:
            return await session.execute(GraphQLRequest(query, variable_values=variables))


async def main(username: str = "alice", password: str = "Taskriver-1", url: str = URL) -> None:
    account = Account(username, password, url)
    lists = await account.read_lists()
    print(f"Watching {lists['totalCount']} tasks at {url} as {username}; Ctrl-C stops.", flush=True)
    async for item in listen(
        url.replace("http", "ws", 1),
        WATCH,
        access_token=account.access_token,
        on_resync=account.on_resync,
        variables={"after": lists["streamCursor"]},
    ):
        if "to" in item:
            by = (item["by"] or {}).get("username", "operator")
            title = item["task"]["title"] if item["task"] else "(deleted since)"
            print(f"{item['at']}  {item['from']} → {item['to']}  {title}  ({by})", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
