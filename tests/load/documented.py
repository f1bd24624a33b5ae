"""The documented scenario: everybody lists tasks, and thinks for one to three seconds in between."""

from locust import FastHttpUser, between, task

from tests.load.clients import list_path, next_person


class Reader(FastHttpUser):
    """Somebody who looks at a list."""

    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Be somebody."""
        _, token = next_person("reader")
        self.headers = {"Authorization": f"Bearer {token}"}

    @task
    def list_tasks(self) -> None:
        """The first page."""
        self.client.get(list_path(), headers=self.headers, name="list of tasks")
