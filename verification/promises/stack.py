"""What is tried: processes of one server, on one database, and people who may sign in."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from verification.client.account import Account
from verification.client.http import Api
from verification.compat.http import Client

PASSWORD = "Promise-1"  # noqa: S105 - of users of a database that lives as long as the proof


class Outcome(StrEnum):
    """Whether a promise is kept."""

    KEPT = "kept"
    BROKEN = "BROKEN"
    NOT_DECIDED = "not decided"
    NOT_TRIED = "not tried here"

    @classmethod
    def of(cls, kept: bool) -> Self:
        """The verdict of a check that can only pass or fail."""
        return cls.KEPT if kept else cls.BROKEN


class NotTried(Exception):
    """Something is missing here that a proof needs; says what."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The measured value as text, and the verdict."""

    value: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stack:
    """Two processes as `make run` would have them, and one with production's settings; URLs without a path."""

    first: str
    second: str
    production: str

    def api(self, url: str) -> Api:
        """The GraphQL endpoint of a process."""
        return Api(f"{url}/graphql")

    def somebody(self, url: str) -> tuple[str, Account]:
        """A new user, by name, who asks at a process.

        Raises:
            AssertionError: nobody can register.
        """
        name = f"promise-{secrets.token_hex(4)}"
        values = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        reply = Client(self.first).send("POST", "/auth/register/", values=values)
        assert reply.status == 201, reply.told
        api = self.api(url)
        return name, Account(lambda: api, name, PASSWORD)
