"""The open sockets of this process, found by user, session and token so that they can be closed when rights change."""

import asyncio
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from domain.actor import Actor
from domain.events import AccessNews, MembershipEvent

Close = Callable[[int, str], None]
"""Ends a socket with a close code and a reason. Must not block, and may be called more than once."""

FORBIDDEN: Final = 4403
RESTARTING: Final = 1012
TRY_LATER: Final = 1013


class ConnectionRefused(Exception):
    """The socket is refused. *code* and *reason* close it and tell the client when to reconnect."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class TooManyConnections(ConnectionRefused):
    """The address or the user has the maximum number of sockets."""

    def __init__(self, reason: str) -> None:
        super().__init__(TRY_LATER, reason)


class Draining(ConnectionRefused):
    """The process is shutting down."""

    def __init__(self) -> None:
        super().__init__(RESTARTING, "Service restart")


class ClientConnection:
    """One open socket. Leaving its `with` block removes it from the registry.

    A socket is opened before its user is known; `sign_in` follows after authentication. A revocation between the check
    of a token and `sign_in` finds no socket to close. So callers check the token again *after* `sign_in`: the
    revocation is noticed either by that check or by this registry.
    """

    def __init__(self, registry: "Connections", address: str, close: Close) -> None:
        self._registry = registry
        self.address = address
        self.actor: Actor | None = None
        self.close = close

    def sign_in(self, actor: Actor | None) -> None:
        """Assign the socket to an actor; None for an anonymous one.

        Raises:
            TooManyConnections: the user has too many sockets.
        """
        if actor is not None:
            self._registry._sign_in(self, actor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._registry._remove(self)


class Connections:
    """The sockets of this process, indexed by session or token, and by user.

    *per_user* and *per_address* are the maximum numbers of open sockets.
    """

    def __init__(self, *, per_user: int = 50, per_address: int = 200) -> None:
        self._per_user = per_user
        self._per_address = per_address
        self._open: set[ClientConnection] = set()
        self._addresses: Counter[str] = Counter()
        self._users: dict[UUID, set[ClientConnection]] = {}
        self._grants: dict[UUID, set[ClientConnection]] = {}
        self._draining = False

    @property
    def count(self) -> int:
        """The number of open sockets."""
        return len(self._open)

    def open(self, address: str, close: Close) -> ClientConnection:
        """Register a socket from *address*; *close* ends it later.

        Raises:
            ConnectionRefused: the process is draining, or the address has too many sockets.
        """
        if self._draining:
            raise Draining
        if self._addresses[address] >= self._per_address:
            raise TooManyConnections(f"Too many sockets from {address}")
        connection = ClientConnection(self, address, close)
        self._open.add(connection)
        self._addresses[address] += 1
        return connection

    def close_affected(self, event: AccessNews) -> None:
        """Close the sockets of users whose rights have changed. Clients may reconnect with their new rights.

        A user who has left a project loses the tokens for this project.
        """
        if isinstance(event, MembershipEvent):
            found = self._users.get(event.user_id, ())
            _close_all([each for each in found if _project(each) == event.project_id], "Forbidden: signed out")
        elif event.user_id is None:
            self.close_everyone()
        elif (grant_id := event.session_id or event.token_id) is not None:
            self.close_grant(grant_id)
        else:
            self.close_user(event.user_id, except_session=event.spared_session_id, spares_tokens=event.spares_tokens)

    def close_grant(self, grant_id: UUID) -> None:
        """Close all sockets of one session or token, see `Actor.grant_id`."""
        _close_all(self._grants.get(grant_id, ()), "Forbidden: signed out")

    def close_user(self, user_id: UUID, except_session: UUID | None = None, *, spares_tokens: bool = False) -> None:
        """Close all sockets of a user, except those of one session and, if it *spares_tokens*, those of tokens."""
        found = [each for each in self._users.get(user_id, ()) if not (spares_tokens and _has_token(each))]
        _close_all(
            [each for each in found if except_session is None or _session(each) != except_session],
            "Forbidden: access changed",
        )

    def close_everyone(self) -> None:
        """Close all authenticated sockets, because their users' rights may have changed."""
        _close_all([each for each in self._open if each.actor is not None], "Forbidden: sign in again")

    async def drain(self, seconds: float) -> None:
        """Refuse new sockets, and close the others with 1012.

        The closes are spread evenly over *seconds*, so that clients do not all reconnect at once.
        """
        self._draining = True
        open_connections = list(self._open)
        for connection in open_connections:
            connection.close(RESTARTING, "Service restart")
            await asyncio.sleep(seconds / len(open_connections))

    def _sign_in(self, connection: ClientConnection, actor: Actor) -> None:
        if len(self._users.get(actor.user_id, ())) >= self._per_user:
            raise TooManyConnections("Too many sockets of this user")
        connection.actor = actor
        self._users.setdefault(actor.user_id, set()).add(connection)
        if actor.grant_id is not None:
            self._grants.setdefault(actor.grant_id, set()).add(connection)

    def _remove(self, connection: ClientConnection) -> None:
        if connection not in self._open:
            return
        self._open.remove(connection)
        self._addresses[connection.address] -= 1
        if not self._addresses[connection.address]:
            del self._addresses[connection.address]
        if connection.actor is not None:
            _discard(self._users, connection.actor.user_id, connection)
            _discard(self._grants, connection.actor.grant_id, connection)


def _session(connection: ClientConnection) -> UUID | None:
    return connection.actor.session_id if connection.actor else None


def _project(connection: ClientConnection) -> UUID | None:
    return connection.actor.project_id if connection.actor else None


def _has_token(connection: ClientConnection) -> bool:
    return connection.actor is not None and connection.actor.token_id is not None


def _close_all(connections: "set[ClientConnection] | list[ClientConnection] | tuple[()]", reason: str) -> None:
    for connection in tuple(connections):
        connection.close(FORBIDDEN, reason)


def _discard(index: dict[UUID, set[ClientConnection]], key: UUID | None, connection: ClientConnection) -> None:
    connections = index.get(key) if key is not None else None
    if connections is None or key is None:
        return
    connections.discard(connection)
    if not connections:
        del index[key]
