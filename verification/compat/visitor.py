"""The state of a check run: the users and tasks that it has created, and their removal."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from verification.compat.http import CompatClient, CompatResponse, NoServer
from verification.compat.result import NotTried

PASSWORD: Final = "Compat-check-1"  # noqa: S105 - of users that this makes, and whose sessions it ends
MAX_TASKS: Final = 60


@dataclass(slots=True)
class Person:
    """A registered user."""

    name: str
    uuid: str = ""
    token: str = ""
    cookie: str = ""

    @property
    def email(self) -> str:
        """The e-mail address."""
        return f"{self.name}@example.org"


@dataclass(slots=True)
class Visitor:
    """The users and tasks so far; each check may use those of the checks before it."""

    client: CompatClient
    people: list[Person] = field(default_factory=list)
    _tasks: dict[str, Person] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    _mark: str = field(default_factory=lambda: secrets.token_hex(4))

    def new_user(self) -> Person:
        """A user who is not registered yet."""
        return Person(f"compat-{self._mark}-{next(self._numbers)}")

    def register(self, person: Person, password: str = PASSWORD) -> CompatResponse:
        """Register the user."""
        values = {"username": person.name, "email": person.email, "password": password}
        reply = self.client.send("POST", "/auth/register/", values=values)
        if reply.status == 201 and isinstance(reply.json, dict):
            person.uuid = str(reply.json.get("uuid", ""))
            self.people.append(person)
        return reply

    def login(self, person: Person, password: str = PASSWORD, **headers: str) -> CompatResponse:
        """Sign the user in, and store the tokens."""
        form = {"username": person.name, "password": password}
        reply = self.client.send("POST", "/auth/login/", form=form, headers=headers)
        if reply.status == 200 and isinstance(reply.json, dict):
            person.token, person.cookie = str(reply.json.get("access_token", "")), reply.cookie or ""
        return reply

    @property
    def first_user(self) -> Person:
        """The first user, signed in.

        Raises:
            NotTried: registration or sign-in failed.
        """
        return self._signed_in(0)

    @property
    def second_user(self) -> Person:
        """The second user, signed in.

        Raises:
            NotTried: registration or sign-in failed.
        """
        return self._signed_in(1)

    def a_task(self, owner: Person, **values: Any) -> dict[str, Any]:
        """A new task of *owner*.

        Raises:
            NotTried: the task could not be created.
        """
        if len(self._tasks) >= MAX_TASKS:
            raise NotTried(f"{MAX_TASKS} tasks exist already")
        chosen = {"title": f"Compatibility check {self._mark}", "description": "May be deleted."} | values
        reply = self.client.send("POST", "/tasks/", token=owner.token, values=chosen)
        if not self.track(owner, reply):
            raise NotTried(f"the task could not be created ({reply.summary})")
        task: dict[str, Any] = reply.json
        return task

    def track(self, owner: Person, reply: CompatResponse) -> bool:
        """Register the task of a reply for the removal at the end; returns whether the reply has a task."""
        task = reply.json
        if reply.status != 201 or not isinstance(task, dict) or "uuid" not in task:
            return False
        self._tasks[str(task["uuid"])] = owner
        return True

    def clean_up(self) -> str:
        """Remove the tasks and end all sessions; returns what is left, empty if nothing is."""
        left = 0
        for uuid, owner in self._tasks.items():
            with suppress(NoServer):
                reply = self.client.send("DELETE", f"/tasks/{uuid}", token=self._fresh(owner))
                left += reply.status not in (204, 404)
        for person in self.people:
            with suppress(NoServer):
                self.client.send("POST", "/auth/logout_all/", token=self._fresh(person))
        names = ", ".join(person.name for person in self.people)
        tasks = f"{left} tasks and " if left else ""
        return f"{tasks}the users {names}" if names else ""

    def _fresh(self, person: Person) -> str:
        """A valid token; a check may have ended the session of the last one."""
        if self.client.send("GET", "/users/about_me/", token=person.token).status != 200:
            self.login(person)
        return person.token

    def _signed_in(self, place: int) -> Person:
        while len(self.people) <= place:
            if self.register(self.new_user()).status != 201:
                raise NotTried("the registration failed")
        person = self.people[place]
        if not person.token and self.login(person).status != 200:
            raise NotTried("the sign-in failed")
        return person
