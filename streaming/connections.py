"""Every open socket of this process: whose it is, so that a revocation finds it, and how many there are."""

import asyncio
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from domain.actor import Actor
from domain.events import AccessNews

Close = Callable[[int, str], None]
"""Ends a socket with a close code and a reason; must not block, and may be called more than once."""

FORBIDDEN: Final = 4403
RESTARTING: Final = 1012
TRY_LATER: Final = 1013


class ConnectionRefused(Exception):
    """No room for this socket; *code* and *reason* are what to close it with, and tell it to come back."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class TooManyConnections(ConnectionRefused):
    """The address or the user has as many sockets as one may have."""

    def __init__(self, reason: str) -> None:
        super().__init__(TRY_LATER, reason)


class Draining(ConnectionRefused):
    """The process is about to stop."""

    def __init__(self) -> None:
        super().__init__(RESTARTING, "Service restart")


class Connection:
    """One open socket; leaving its `with` block gives its place back.

    A socket is opened before anybody signed in on it, and `sign_in` follows when somebody does. Between checking a
    token and `sign_in` a revocation finds nothing to close, so whoever signs in checks the token again *afterwards*:
    a revocation is then seen either by that check or by this registry.
    """

    def __init__(self, registry: "Connections", address: str, close: Close) -> None:
        self._registry = registry
        self.address = address
        self.actor: Actor | None = None
        self.close = close

    def sign_in(self, actor: Actor | None) -> None:
        """Say whose socket this is; None for an anonymous one.

        Raises:
            TooManyConnections: the user has too many sockets.
        """
        if actor is not None:
            self._registry._sign_in(self, actor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._registry._forget(self)


class Connections:
    """The sockets of this process, found by session and by user at once, however many there are.

    *per_user* and *per_address* are the most that one may have open at a time.
    """

    def __init__(self, *, per_user: int = 50, per_address: int = 200) -> None:
        self._per_user = per_user
        self._per_address = per_address
        self._open: set[Connection] = set()
        self._addresses: Counter[str] = Counter()
        self._users: dict[UUID, set[Connection]] = {}
        self._sessions: dict[UUID, set[Connection]] = {}
        self._draining = False

    @property
    def count(self) -> int:
        """How many sockets are open."""
        return len(self._open)

    def open(self, address: str, close: Close) -> Connection:
        """Take a place for a socket from *address*; *close* is how to end it later.

        Raises:
            ConnectionRefused: the process is draining, or the address has too many sockets.
        """
        if self._draining:
            raise Draining
        if self._addresses[address] >= self._per_address:
            raise TooManyConnections(f"Too many sockets from {address}")
        connection = Connection(self, address, close)
        self._open.add(connection)
        self._addresses[address] += 1
        return connection

    def cut_off(self, event: AccessNews) -> None:
        """End the sockets of somebody whose rights have changed; who may come back comes back with new ones."""
        if event.user_id is None:
            self.close_everyone()
        elif event.session_id is not None:
            self.close_session(event.session_id)
        else:
            self.close_user(event.user_id, except_session=event.spared_session_id)

    def close_session(self, session_id: UUID) -> None:
        """End every socket of one signed-in device."""
        _close_all(self._sessions.get(session_id, ()), "Forbidden: signed out")

    def close_user(self, user_id: UUID, except_session: UUID | None = None) -> None:
        """End every socket of a user, except those of one session."""
        found = self._users.get(user_id, ())
        _close_all(
            [each for each in found if except_session is None or _session(each) != except_session],
            "Forbidden: access changed",
        )

    def close_everyone(self) -> None:
        """End every socket that somebody signed in on: who they were when they did may not be who they are."""
        _close_all([each for each in self._open if each.actor is not None], "Forbidden: sign in again")

    async def drain(self, seconds: float) -> None:
        """Send every socket away with 1012, evenly over *seconds*, and take no new ones: no herd comes back."""
        self._draining = True
        leaving = list(self._open)
        for connection in leaving:
            connection.close(RESTARTING, "Service restart")
            await asyncio.sleep(seconds / len(leaving))

    def _sign_in(self, connection: Connection, actor: Actor) -> None:
        if len(self._users.get(actor.user_id, ())) >= self._per_user:
            raise TooManyConnections("Too many sockets of this user")
        connection.actor = actor
        self._users.setdefault(actor.user_id, set()).add(connection)
        if actor.session_id is not None:
            self._sessions.setdefault(actor.session_id, set()).add(connection)

    def _forget(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        self._open.remove(connection)
        self._addresses[connection.address] -= 1
        if not self._addresses[connection.address]:
            del self._addresses[connection.address]
        if connection.actor is not None:
            _discard(self._users, connection.actor.user_id, connection)
            _discard(self._sessions, connection.actor.session_id, connection)


def _session(connection: Connection) -> UUID | None:
    return connection.actor.session_id if connection.actor else None


def _close_all(connections: "set[Connection] | list[Connection] | tuple[()]", reason: str) -> None:
    for connection in tuple(connections):
        connection.close(FORBIDDEN, reason)


def _discard(index: dict[UUID, set[Connection]], key: UUID | None, connection: Connection) -> None:
    held = index.get(key) if key is not None else None
    if held is None or key is None:
        return
    held.discard(connection)
    if not held:
        del index[key]
