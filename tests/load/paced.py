"""The documented request at a given rate: ten times a second by each, however long an answer takes."""

from locust import FastHttpUser, constant_throughput, task

from tests.load.clients import PER_USER, list_path, next_person


class Reader(FastHttpUser):
    """A user who sends requests without pauses."""

    wait_time = constant_throughput(PER_USER)

    def on_start(self) -> None:
        """Choose a user."""
        _, token = next_person("reader")
        self.headers = {"Authorization": f"Bearer {token}"}

    @task
    def list_tasks(self) -> None:
        """The first page."""
        self.client.get(list_path(), headers=self.headers, name="list of tasks")
