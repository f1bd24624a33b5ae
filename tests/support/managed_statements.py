"""What a pooler does that manages prepared statements, as PgBouncer 1.21 and newer document it.

A name of a client stands for a text. Each session gets the texts that it does not have, under names of the pooler's.
"""

import struct
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import ClassVar

_END = b"\0"


class SessionStatements:
    """The prepared statements of a session, and the answers that it still owes."""

    def __init__(self) -> None:
        self.known: set[bytes] = set()
        self._hidden: deque[bool] = deque()

    def sent(self, *, hidden: bool) -> None:
        """Note a message whose completion is answered; the client must not see it if it is *hidden*."""
        self._hidden.append(hidden)

    def is_hidden(self, kind: bytes) -> bool:
        """Whether the client must not see this answer. After an error, the session may lack any statement."""
        if kind == b"E":
            self.known.clear()
        if kind == b"Z":
            self._hidden.clear()
        return kind in b"123" and bool(self._hidden) and self._hidden.popleft()


class ManagedStatements:
    """The names of one client. The texts, with the pooler's names of them, belong to all clients."""

    _texts: ClassVar[dict[bytes, bytes]] = {}
    _numbers: ClassVar[Iterator[int]] = count()

    def __init__(self) -> None:
        self._names: dict[bytes, bytes] = {}

    def translated(self, message: bytes, session: SessionStatements) -> bytes:
        """What is sent to the session instead of a message of the client."""
        kind, body = message[:1], message[5:]
        if kind == b"P":
            name, _, text = body.partition(_END)
            if not name:
                session.sent(hidden=False)
                return message
            self._names[name] = text
            return self._prepare(text, session, hidden=False)
        if kind == b"B":
            portal, _, rest = body.partition(_END)
            name, _, values = rest.partition(_END)
            before = self._ensure(name, session)
            session.sent(hidden=False)
            return before + _message(b"B", portal + _END + self._own(name) + _END + values)
        if kind == b"D" and body[:1] == b"S":
            name = body[1:-1]
            return self._ensure(name, session) + _message(b"D", b"S" + self._own(name) + _END)
        if kind == b"C":
            session.sent(hidden=False)
            self._names.pop(body[1:-1], None)
            return _message(b"C", body[:1] + b"no statement" + _END)
        return message

    def _ensure(self, name: bytes, session: SessionStatements) -> bytes:
        if not name or self._own(name) in session.known:
            return b""
        return self._prepare(self._names[name], session, hidden=True)

    def _prepare(self, text: bytes, session: SessionStatements, *, hidden: bool) -> bytes:
        own = self._texts.setdefault(text, b"pooled_%d" % next(self._numbers))
        session.sent(hidden=True)
        session.sent(hidden=hidden)
        session.known.add(own)
        return _message(b"C", b"S" + own + _END) + _message(b"P", own + _END + text)

    def _own(self, name: bytes) -> bytes:
        return self._texts[self._names[name]] if name else b""


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body
