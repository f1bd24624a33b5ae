"""The documented scenario: users list tasks, with pauses of one to three seconds."""

from locust import FastHttpUser, between, task

from tests.load.clients import list_path, next_person


class Reader(FastHttpUser):
    """A user who reads a list."""

    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Choose a user."""
        _, token = next_person("reader")
        self.headers = {"Authorization": f"Bearer {token}"}

    @task
    def list_tasks(self) -> None:
        """The first page."""
        self.client.get(list_path(), headers=self.headers, name="list of tasks")
