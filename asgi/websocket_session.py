"""Serves one WebSocket: performs the effects of its protocol, a state machine without I/O."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from starlette.types import Message, Receive, Send

from asgi.close_codes import CloseReason
from asgi.streaming_session import SessionConfig, StreamingSession
from asgi.websocket_handshake import HandshakeRequest
from streaming.connections import ConnectionRefused


class ProtocolStateMachine(Protocol):
    """A protocol. Its methods return effects: a `str` sends a text frame, and a `CloseReason` closes the WebSocket."""

    def receive_text(self, text: str) -> Sequence[object]:
        """A text frame was received."""

    def receive_binary(self) -> Sequence[object]:
        """A binary frame was received."""

    def first_message_timed_out(self) -> Sequence[object]:
        """The time limit for the first message has passed."""


class WebSocketSession(ABC):
    """The frames of one WebSocket, for its `StreamingSession`.

    Subclasses set the protocol, perform its other effects, and decide what is sent at each ping interval.
    """

    _protocol: ProtocolStateMachine

    def __init__(
        self,
        config: SessionConfig,
        handshake: HandshakeRequest,
        receive: Receive,
        send: Send,
        *,
        subprotocol: str | None = None,
    ) -> None:
        self.handshake = handshake
        self.session = StreamingSession(config, handshake, self, receive, send)
        self._timing = config.timing
        self._send = send
        self._subprotocol = subprotocol

    @abstractmethod
    async def perform_other(self, effect: object) -> None:
        """Perform an effect that does not send a frame or close the WebSocket."""

    @abstractmethod
    async def ping(self) -> None:
        """A ping interval has passed."""

    async def run(self) -> None:
        """Serve the WebSocket until it is closed. If there are too many connections, close it."""
        try:
            await self.session.run()
        except ConnectionRefused as refused:
            # A browser does not show a page why a handshake failed. So accept it, then close with a code and a reason.
            self.session.end(refused.code, refused.reason)
            await self._send_accept()
            await self.session.close()
        self.release()

    def release(self) -> None:
        """Refer to nothing that refers back to this object."""
        self.session.release()

    async def accept(self) -> None:
        """Accept the handshake, and start the timer for the first message."""
        await self._send_accept()
        self.session.call_later(self._timing.first_message, self._first_message_timed_out)

    async def receive(self, message: Message) -> None:
        """Pass a message to the protocol."""
        text = message.get("text")
        await self.perform(self._protocol.receive_binary() if text is None else self._protocol.receive_text(text))

    async def close(self, reason: CloseReason | None) -> None:
        """Send the close frame."""
        if reason is not None:
            await self.session.writer.close(reason.code, reason.reason)

    async def perform(self, effects: Sequence[object]) -> None:
        """Perform effects in order. Returns when all frames are sent.

        Raises:
            PeerDisconnected: a frame was not sent.
        """
        for effect in effects:
            if type(effect) is str:  # the most frequent effect
                await self.session.writer.text(effect)
            elif isinstance(effect, CloseReason):
                self.session.end(effect.code, effect.reason)
            else:
                await self.perform_other(effect)

    def perform_soon(self, effects: Sequence[object]) -> None:
        """Perform effects in a task of their own."""
        if effects:
            self.session.start(self.perform(effects))

    def _first_message_timed_out(self) -> None:
        self.perform_soon(self._protocol.first_message_timed_out())

    async def _send_accept(self) -> None:
        await self._send({"type": "websocket.accept", "subprotocol": self._subprotocol})
