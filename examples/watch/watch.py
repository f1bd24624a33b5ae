"""Watches tasks change their status.

pip install "gql[aiohttp,websockets]" && python watch.py alice Taskriver-1
"""

import asyncio
import sys

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.websockets import WebsocketsTransport

URL = "http://127.0.0.1:8000/graphql"
LOGIN = gql("mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { message } } }")
WATCH = gql(
    """subscription { taskStatusChanged {
      at task { title } ... on TaskStatusChanged { from to by { username } }
    } }"""
)


async def main(username: str = "alice", password: str = "Taskriver-1", url: str = URL) -> None:
    async with Client(transport=AIOHTTPTransport(url)) as session:
        LOGIN.variable_values = {"input": {"username": username, "password": password}}
        login = (await session.execute(LOGIN))["login"]
    if not login["accessToken"]:
        sys.exit(login["userErrors"][0]["message"])

    payload = {"authorization": f"Bearer {login['accessToken']}"}
    socket = WebsocketsTransport(
        url.replace("http", "ws", 1), init_payload=payload, subprotocols=["graphql-transport-ws"]
    )
    async with Client(transport=socket) as session:
        print(f"Watching {url} as {username}; Ctrl-C stops.", flush=True)
        async for event in session.subscribe(WATCH):
            item = event["taskStatusChanged"]
            if "to" in item:
                by = (item["by"] or {}).get("username", "operator")
                print(f"{item['at']}  {item['from']} → {item['to']}  {item['task']['title']}  ({by})", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
