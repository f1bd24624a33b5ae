"""Open sockets are found and counted by user."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from domain.actor import Actor
from domain.events import AccessChange, AccessEvent
from domain.user import Role
from server.app import Server
from streaming.connections import ClientConnection, Connections, Draining, TooManyConnections
from streaming.visibility import concerns
from tests.support.api_server import settings_of
from tests.support.virtual_time import in_virtual_time


class Book:
    """Notes what was closed."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.closed: dict[str, tuple[int, str]] = {}

    def open(
        self, name: str, *, user: UUID | None = None, address: str = "a", by_token: bool = False
    ) -> ClientConnection:
        """Open a socket, and sign a user in on a session of the socket's name, or with a personal access token."""
        connection = self.connections.open(address, lambda code, reason: self.closed.update({name: (code, reason)}))
        session_id, token_id = (None, uuid4()) if by_token else (uuid4(), None)
        connection.sign_in(Actor(user, Role.USER, session_id, 1, token_id=token_id) if user else None)
        return connection


def _actor(connection: ClientConnection) -> Actor:
    assert connection.actor is not None
    return connection.actor


@pytest.fixture
def book() -> Book:
    """An empty registry."""
    return Book(Connections(per_user=3, per_address=5))


class TestRevocation:
    def test_a_session_ends_with_its_sockets(self, book: Book) -> None:
        """And with no others."""
        user = uuid4()
        mine, _other = book.open("mine", user=user), book.open("other", user=user)
        assert mine.actor is not None
        assert mine.actor.session_id is not None
        book.connections.close_grant(mine.actor.session_id)
        assert book.closed == {"mine": (4403, "Forbidden: signed out")}

    def test_a_user_ends_everywhere_but_where_it_was_asked_from(self, book: Book) -> None:
        """Changing a password keeps the device that did it."""
        user = uuid4()
        kept = book.open("kept", user=user)
        book.open("gone", user=user)
        book.open("outsider", user=uuid4())
        assert kept.actor is not None
        book.connections.close_user(user, except_session=kept.actor.session_id)
        assert set(book.closed) == {"gone"}
        book.connections.close_user(user)
        assert set(book.closed) == {"gone", "kept"}

    def test_a_token_ends_with_its_sockets(self, book: Book) -> None:
        """Signing out everywhere ends none of them; other changes of the user's rights end all."""
        user = uuid4()
        mine, other = book.open("mine", user=user, by_token=True), book.open("other", user=user, by_token=True)
        book.open("session", user=user)
        for change, token_id, closed in (
            (AccessChange.SESSIONS_REVOKED, None, {"session"}),
            (AccessChange.TOKEN_REVOKED, _actor(mine).token_id, {"session", "mine"}),
            (AccessChange.DISABLED, None, {"session", "mine", "other"}),
        ):
            event = AccessEvent(user, change, None, None, user, datetime.now(UTC), None, token_id=token_id)
            assert concerns(event, _actor(other)) is ("other" in closed)
            book.connections.close_affected(event)
            assert set(book.closed) == closed

    def test_all_signed_in_sockets_can_be_closed(self, book: Book) -> None:
        """After a gap in the changes of rights; anonymous sockets stay."""
        book.open("alice", user=uuid4())
        book.open("bob", user=uuid4())
        book.open("anonymous")
        book.connections.close_everyone()
        assert set(book.closed) == {"alice", "bob"}

    def test_an_unknown_user_is_no_error(self, book: Book) -> None:
        """Most users have no socket here."""
        book.connections.close_user(uuid4())
        book.connections.close_grant(uuid4())


class TestCaps:
    def test_a_user_has_so_many(self, book: Book) -> None:
        """One more is sent away with a code that lets it come back."""
        user = uuid4()
        for number in range(3):
            book.open(str(number), user=user)
        with pytest.raises(TooManyConnections) as refused:
            book.open("one more", user=user)
        assert refused.value.code == 1013

    def test_an_address_has_so_many(self, book: Book) -> None:
        """Signed in or not; another address is not concerned."""
        opened = [book.open(str(number)) for number in range(5)]
        with pytest.raises(TooManyConnections):
            book.open("one more")
        book.open("elsewhere", address="b")
        with opened[0]:
            pass
        book.open("again room")

    def test_the_registry_does_not_grow(self, book: Book) -> None:
        """After thousands of closed sockets it is empty."""
        user = uuid4()
        for number in range(2_000):
            with book.open(str(number), user=user, address=str(number)):
                pass
        assert book.connections.count == 0
        assert not book.connections._addresses
        assert not book.connections._users
        assert not book.connections._grants


class TestDraining:
    @in_virtual_time
    async def test_shutdown_closes_sockets_gradually(self, book: Book) -> None:
        """With 1012, not all at the same time."""
        for number in range(4):
            book.open(str(number))
        await book.connections.drain(2.0)
        assert asyncio.get_running_loop().time() == pytest.approx(2.0)
        assert list(book.closed.values()) == [(1012, "Service restart")] * 4

    async def test_after_the_shutdown_no_socket_is_accepted(self, book: Book) -> None:
        """A process that stops refuses sockets."""
        await book.connections.drain(1)
        with pytest.raises(Draining) as refused:
            book.open("late")
        assert refused.value.code == 1012


def test_the_limits_are_settings():
    """SOCKETS_PER_USER and SOCKETS_PER_ADDRESS."""
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    settings = settings_of(url, "redis://127.0.0.1:1", sockets_per_user=1, sockets_per_address=2)
    book, user = Book(Server(settings).connections), uuid4()
    book.open("one", user=user)
    with pytest.raises(TooManyConnections, match="user"):
        book.open("two", user=user)
    with pytest.raises(TooManyConnections, match="from a"):
        book.open("three")
