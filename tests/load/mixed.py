"""A mixed scenario: all operations without pauses, and listeners. It is a closed loop: a slow response delays its
client, so the rate is what the server can do.
"""

import json
import os
import time
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import FastHttpUser, User, constant, events, task
from locust.env import Environment
from locust.exception import StopUser
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.load import server_times
from tests.load.clients import PASSWORD, SUBSCRIBERS, next_person
from tests.load.generator_delay import DELAY_FILE, EVERY_SECONDS, GeneratorDelay

LIST = """query Tasks($after: String) { tasks(first: 20, after: $after) { nodes { id title status priority version
  owner { username } assignee { username } } pageInfo { hasNextPage endCursor } } }"""
ONE = """query Task($id: ID!) { task(id: $id) { id title description status priority dueAt version createdAt updatedAt
  owner { id username } assignee { id username } viewerCanUpdate viewerCanDelete } }"""
MINE = "{ me { id username role } }"
CREATE = (
    """mutation Create($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }"""
)
MOVE = """mutation Move($input: UpdateTaskStatusInput!) { updateTaskStatus(input: $input) {
  task { id status version } userErrors { code message } } }"""
LOGIN = """mutation Login($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }"""
LISTEN = "subscription { taskChanged { cursor at task { id title status version } } }"


@events.init.add_listener  # type: ignore[untyped-decorator]
def measure_the_rest(environment: Environment, **_: object) -> None:
    """When all clients are there, save what the server has measured so far, and measure how late this process is."""
    delay = GeneratorDelay()

    def watch() -> None:
        delay.begin()
        while True:
            gevent.sleep(EVERY_SECONDS)
            delay.note()

    def start(**_: object) -> None:
        gevent.spawn(watch)
        before = server_times.read(int(os.environ[server_times.METRICS_PORT]))
        server_times.save(before, Path(os.environ[server_times.BEFORE_FILE]))

    def stop(**_: object) -> None:
        delay.save(Path(os.environ[DELAY_FILE]))

    environment.events.spawning_complete.add_listener(start)  # type: ignore[no-untyped-call]
    environment.events.quitting.add_listener(stop)  # type: ignore[no-untyped-call]


class Client(FastHttpUser):
    """A user who works."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Choose a user, and create a task."""
        self.name, token = next_person("client")
        self.headers = {"Authorization": f"Bearer {token}"}
        created = self.ask("create a task", CREATE, {"input": {"title": f"Work of {self.name}"}})
        if created is None:
            raise StopUser
        self.mine = created["createTask"]["task"]["id"]
        self.ids = [self.mine]
        self.after: str | None = None
        self.moves = cycle(("IN_PROGRESS", "DONE", "TODO"))

    @task(30)
    def list_tasks(self) -> None:
        """Page by page."""
        found = self.ask("list tasks", LIST, {"after": self.after})
        if found is not None:
            page = found["tasks"]
            self.ids = [node["id"] for node in page["nodes"]] or self.ids
            self.after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None

    @task(20)
    def look_at_a_task(self) -> None:
        """One of those that were listed."""
        self.ask("a task", ONE, {"id": self.ids[0]})

    @task(5)
    def who_am_i(self) -> None:
        """As a page asks when it is opened."""
        self.ask("me", MINE, {})

    @task(15)
    def move_a_task(self) -> None:
        """The own one, one column further."""
        self.ask("move a task", MOVE, {"input": {"id": self.mine, "status": next(self.moves)}})

    @task(3)
    def create_a_task(self) -> None:
        """One more."""
        self.ask("create a task", CREATE, {"input": {"title": f"More work of {self.name}"}})

    @task(15)
    def list_over_rest(self) -> None:
        """As older clients do."""
        self.client.get("/api/v1/tasks/?limit=20", headers=self.headers, name="list tasks, REST")

    @task(1)
    def sign_in_again(self) -> None:
        """It costs a quarter of a second of processor time."""
        self.ask("sign in", LOGIN, {"input": {"username": self.name, "password": PASSWORD}}, signed_in=False)

    def ask(self, name: str, query: str, variables: dict[str, Any], *, signed_in: bool = True) -> Any:
        """The data, or None; errors and refusals count as failures."""
        body = {"query": query, "variables": variables}
        headers = self.headers if signed_in else {}
        with self.client.post("/graphql", json=body, headers=headers, name=name, catch_response=True) as response:
            try:
                answer = json.loads(response.text or "")
            except ValueError:
                response.failure(f"{response.status_code}: {response.text!r:.200}")
                return None
            wrong = answer.get("errors") or [e for v in answer["data"].values() for e in v.get("userErrors", ())]
            if wrong:
                response.failure(f"{wrong!r:.300}")
                return None
            return answer["data"]


class Listener(User):
    """Receives the changes of a client; the delay counts as a response time."""

    fixed_count = int(os.environ.get(SUBSCRIBERS, "20"))
    wait_time = constant(0)

    def on_start(self) -> None:
        """Subscribe."""
        _, token = next_person("listener")
        address = f"{(self.host or '').replace('http', 'ws', 1)}/graphql"
        self.socket = connect(address, subprotocols=[Subprotocol("graphql-transport-ws")])
        self.say({"type": "connection_init", "payload": {"token": token}})
        if self.receive(5)["type"] != "connection_ack":
            raise StopUser
        self.say({"id": "1", "type": "subscribe", "payload": {"query": LISTEN}})

    @task
    def listen(self) -> None:
        """The next message."""
        try:
            message = self.receive(60)
        except (TimeoutError, ConnectionClosed) as error:
            self.environment.events.request.fire(
                request_type="WS", name="receive a change", response_time=0, response_length=0, exception=error
            )
            raise StopUser from error
        if message["type"] == "ping":
            self.say({"type": "pong"})
        elif message["type"] == "next":
            changed = message["payload"]["data"]["taskChanged"]
            late = datetime.now(UTC) - datetime.fromisoformat(changed["at"])
            self.environment.events.request.fire(
                request_type="WS",
                name="receive a change",
                response_time=max(0.0, late.total_seconds() * 1_000),
                response_length=0,
                exception=None,
            )

    def say(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self.socket.send(json.dumps(message))

    def receive(self, seconds: float) -> Any:
        """The next message.

        Raises:
            TimeoutError: there was none.
        """
        return json.loads(self.socket.recv(timeout=seconds))

    def on_stop(self) -> None:
        """Hang up."""
        self.socket.close()
        time.sleep(0)
