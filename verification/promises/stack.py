"""The servers for the tests of the promises: processes on one database, and users who can sign in."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from verification.client.account import Account
from verification.client.http import Api
from verification.compat.http import CompatClient

PASSWORD = "Promise-1"  # noqa: S105 - of users of a database that lives as long as the proof


class Outcome(StrEnum):
    """The outcome of a test."""

    KEPT = "kept"
    BROKEN = "BROKEN"
    NOT_DECIDED = "not decided"
    NOT_TRIED = "not tried here"

    @classmethod
    def of(cls, kept: bool) -> Self:
        """The outcome of a test that can only pass or fail."""
        return cls.KEPT if kept else cls.BROKEN


class PromiseNotTried(Exception):
    """The test cannot run; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The measured value as text, and the outcome."""

    value: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stack:
    """Two processes with development settings, and one with production settings; URLs without a path."""

    first: str
    second: str
    production: str

    def api(self, url: str) -> Api:
        """The GraphQL endpoint of a process."""
        return Api(f"{url}/graphql")

    def new_user(self, url: str) -> tuple[str, Account]:
        """The name and the account of a new user at a process.

        Raises:
            AssertionError: the registration failed.
        """
        name = f"promise-{secrets.token_hex(4)}"
        values = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        reply = CompatClient(self.first).send("POST", "/auth/register/", values=values)
        assert reply.status == 201, reply.summary
        api = self.api(url)
        return name, Account(lambda: api, name, PASSWORD)
