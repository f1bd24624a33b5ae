"""The lifetime of a streaming session, with frames that are only recorded, and in virtual time."""

import asyncio
from contextlib import suppress

import pytest
from starlette.types import Message

from asgi.close_codes import CloseCode, CloseReason
from asgi.errors import ExpiredToken
from asgi.socket_writer import PeerDisconnected
from streaming.connections import ConnectionRefused, Connections
from tests.asgi.session_world import DISCONNECT, SIGNED_OUT, World
from tests.support.log import Log
from tests.support.virtual_time import in_virtual_time


class TestTheBeginning:
    @in_virtual_time
    async def test_a_refused_connection_is_not_accepted(self):
        """The caller answers it, because the protocols answer it differently."""
        world = World(connections=Connections(per_address=0))
        with pytest.raises(ConnectionRefused):
            await world.session.run()
        assert world.sent == []

    @in_virtual_time
    async def test_a_session_that_ends_before_it_is_accepted_is_accepted_and_closed(self):
        """Nothing is received, so a client that sends nothing cannot delay the end."""
        world = World()
        world.session.end(CloseCode.BAD_SUBPROTOCOL, "Offer another one")
        await world.served()
        assert world.sent == ["websocket.accept", "websocket.close"]
        assert world.closed == [CloseReason(CloseCode.BAD_SUBPROTOCOL, "Offer another one")]

    @in_virtual_time
    async def test_an_end_while_it_is_accepted_does_not_interrupt_that(self):
        """A close frame can only follow the accept frame."""
        world = World()
        world.is_reading.clear()
        serving = asyncio.create_task(world.session.run())
        await asyncio.sleep(0)
        await world.connections.drain(0)
        world.is_reading.set()
        await serving
        assert world.sent == ["websocket.accept", "websocket.close"]
        assert world.closed == [CloseReason(CloseCode.RESTARTING, "Service restart")]

    @in_virtual_time
    async def test_an_error_while_it_is_accepted_is_the_callers(self):
        """Its place is free, and its timers do not fire."""
        world = World()

        def fail() -> None:
            world.session.call_later(1, world.closed.append, None)
            raise ZeroDivisionError

        world.on_accept = fail
        with pytest.raises(ZeroDivisionError):
            await world.session.run()
        await asyncio.sleep(60)
        assert (world.connections.count, world.closed, world.pings) == (0, [], [])


class TestAuthentication:
    @pytest.mark.parametrize("call", [1, 2])
    def test_a_revocation_while_it_signs_in_is_not_lost(self, call: int):
        """Before the connection is registered for its user the second check notices it; after that, the registry."""

        @in_virtual_time
        async def check() -> None:
            world, calls = World(), list[None]()

            def revoke() -> None:
                calls.append(None)
                if len(calls) == call:
                    world.revoke()
                    if call == 1:
                        world.on_authenticate = lambda: setattr(world, "authenticate_error", ExpiredToken())

            world.on_authenticate = revoke
            world.says("sign in")
            await world.served()
            (reason,) = world.closed
            assert reason is not None
            assert reason.code == CloseCode.FORBIDDEN
            assert "signed in" not in world.sent

        check()

    @in_virtual_time
    async def test_a_session_ends_with_its_token(self):
        """At the time at which the token expires."""
        world = World(lifetime=36_000)
        world.says("sign in")
        await world.served()
        assert asyncio.get_running_loop().time() == pytest.approx(36_000, abs=600)
        assert world.closed == [CloseReason(CloseCode.FORBIDDEN, "Token has expired")]

    @in_virtual_time
    async def test_a_token_that_has_expired_meanwhile_ends_it_at_once(self):
        """Although the check accepted it."""
        world = World(lifetime=-1)
        world.says("sign in")
        await world.served()
        assert world.closed == [CloseReason(CloseCode.FORBIDDEN, "Token has expired")]
        assert asyncio.get_running_loop().time() == 0

    @in_virtual_time
    async def test_each_error_of_a_sign_in_closes_it(self):
        """With the code of the error."""
        world = World(authenticate_error=ExpiredToken())
        world.says("sign in")
        await world.served()
        assert [reason and reason.code for reason in world.closed] == [CloseCode.FORBIDDEN]

    @in_virtual_time
    async def test_verify_ends_a_session_whose_identity_is_not_valid_any_more(self):
        """An anonymous session stays valid."""
        world = World()
        verified = list[bool]()

        async def verify() -> None:
            verified.append(await world.session.verify())

        world.on_message = lambda message: verify()
        world.says("something")
        world.says("sign in")

        def expire() -> None:
            world.authenticate_error = ExpiredToken()
            world.says("something")

        world.on_ping = expire
        await world.served()
        assert verified == [True, True, False]
        assert [reason and reason.code for reason in world.closed] == [CloseCode.FORBIDDEN]


class TestPings:
    @in_virtual_time
    async def test_they_come_at_their_interval(self):
        """Until the session ends."""
        world = World()

        def end() -> None:
            if len(world.pings) == 3:
                world.session.end(CloseCode.TIMED_OUT, "No answer")

        world.on_ping = end
        await world.served()
        await asyncio.sleep(60)
        assert world.pings == [12, 24, 36]
        assert world.sent == ["websocket.accept", "ping", "ping", "websocket.close"]

    @in_virtual_time
    async def test_between_them_there_is_no_task_but_that_of_the_server(self):
        """Thousands of connections are idle."""
        world = World()
        serving = asyncio.create_task(world.session.run())
        await asyncio.sleep(30)
        assert asyncio.all_tasks() == {asyncio.current_task(), serving}
        world.inbox.put_nowait(DISCONNECT)
        await serving


class TestTheEnd:
    @in_virtual_time
    async def test_only_the_first_end_counts(self):
        """One close frame, whatever happens while it is sent."""
        world = World()

        def end(message: Message) -> None:
            world.session.end(CloseCode.BAD_MESSAGE, "First")
            world.session.end(CloseCode.TRY_LATER, "Second")
            world.session.complete()
            world.revoke()

        world.on_message = end
        world.says("sign in")
        await world.served()
        assert world.closed == [CloseReason(CloseCode.BAD_MESSAGE, "First")]
        assert world.sent.count("websocket.close") == 1

    @in_virtual_time
    async def test_no_frame_follows_a_revocation(self):
        """Neither one that waits for another frame, nor one of a task that is still running."""
        world = World()
        ran = list[str]()

        async def send(text: str) -> None:
            await world.session.writer.text(text)
            await asyncio.sleep(1)
            ran.append(text)
            await world.session.writer.text(f"after {text}")
            assert not world.session.writer.put("put")

        def start(message: Message) -> None:
            world.is_reading.clear()
            for number in range(3):
                world.session.start(send(str(number)), cancellable=False)
            asyncio.get_running_loop().call_later(1, world.revoke)
            asyncio.get_running_loop().call_later(2, world.is_reading.set)

        world.on_message = start
        world.says("sign in")
        await world.served()
        assert world.sent == ["websocket.accept", "signed in", "0", "websocket.close"]
        assert sorted(ran) == ["0", "1", "2"]
        assert world.closed == [SIGNED_OUT]

    @in_virtual_time
    async def test_a_frame_that_waits_for_a_slow_client_does_not_delay_the_end(self):
        """It is cancelled, so the close frame is next."""
        world = World()

        async def send() -> None:
            world.is_reading.clear()
            await world.session.writer.text("not sent")

        asyncio.get_running_loop().call_later(1, world.session.end, CloseCode.TRY_LATER, "Enough")
        asyncio.get_running_loop().call_later(2, world.is_reading.set)
        world.starts(send)
        await world.served()
        assert world.sent == ["websocket.accept", "websocket.close"]

    @in_virtual_time
    async def test_a_client_that_disconnects_gets_no_close_frame(self):
        """Its tasks are cancelled, except those that run to their end."""
        world = World()
        ended = list[str]()

        async def work(name: str) -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(30)
                ended.append(name)

        def start(message: Message) -> None:
            world.session.start(work("cancellable"))
            world.session.start(work("mutation"), cancellable=False)
            world.inbox.put_nowait(DISCONNECT)

        world.on_message = start
        world.says("begin")
        await world.served()
        assert (world.closed, ended) == ([], ["mutation"])

    @in_virtual_time
    async def test_a_bug_is_logged_and_closes_it(self, no_secrets_in_logs: Log):
        """In the handling of a message, in a ping and in a task: the client may try again."""
        for arrange in (_bug_in_message, _bug_in_ping, _bug_in_task):
            world = World()
            arrange(world)
            await world.served()
            assert world.closed == [CloseReason(CloseCode.TRY_LATER, "Something went wrong on our side")]
        assert no_secrets_in_logs.text.count("unexpected failure at the socket") == 3

    @in_virtual_time
    async def test_a_client_that_does_not_read_is_aborted(self):
        """Within the time limit for a frame; there is no attempt to send a close frame."""
        world = World()
        world.on_message = lambda message: world.is_reading.clear()
        world.says("begin")
        await world.served()
        assert asyncio.get_running_loop().time() == 22
        assert (world.aborted, world.closed) == (1, [])

    @in_virtual_time
    async def test_the_end_of_a_client_that_does_not_read_takes_the_time_of_one_frame(self):
        """The close frame has the same limit."""
        world = World()

        def revoke(message: Message) -> None:
            world.is_reading.clear()
            world.revoke()

        world.on_message = revoke
        world.says("sign in")
        await world.served()
        assert asyncio.get_running_loop().time() == 10
        assert (world.aborted, world.closed) == (1, [SIGNED_OUT])

    @in_virtual_time
    async def test_a_cancellation_by_the_server_is_not_swallowed(self):
        """And everything that the session has started is stopped."""
        world = World()
        waiting = list[bool]()

        async def wait() -> None:
            await world.session.wait_ended()
            waiting.append(True)

        world.starts(wait, cancellable=False)
        serving = asyncio.create_task(world.session.run())
        await asyncio.sleep(1)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert (waiting, world.closed, world.connections.count) == ([True], [], 0)

    @in_virtual_time
    async def test_an_exception_of_the_network_is_a_disconnect(self):
        """`PeerDisconnected` in a task ends the session without a close frame."""
        world = World()

        async def fail() -> None:
            raise PeerDisconnected

        world.starts(fail)
        await world.served()
        assert world.closed == []


def _raise(*_: object) -> None:
    raise ZeroDivisionError("secret detail")


def _bug_in_message(world: World) -> None:
    world.on_message = _raise
    world.says("begin")


def _bug_in_ping(world: World) -> None:
    world.on_ping = _raise


def _bug_in_task(world: World) -> None:
    async def fail() -> None:
        _raise()

    world.starts(fail)
