"""What is tried: processes of one server, on one database, and people who may sign in."""

import secrets
from dataclasses import dataclass

from verification.client.account import Account
from verification.client.http import Api
from verification.compat.http import Client

PASSWORD = "Promise-1"  # noqa: S105 - of users of a database that lives as long as the proof


class NotTried(Exception):
    """Something is missing here that a proof needs; says what."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out, in few words, and whether the promise is kept; None if it could not be tried here."""

    value: str
    kept: bool | None


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
