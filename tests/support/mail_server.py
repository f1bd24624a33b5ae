"""A real mail server on this machine, which tests let fail in different ways."""

import asyncio
import email
import email.policy
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Final, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.waiting import HANG_SECONDS

HOST: Final = "127.0.0.1"
_TOKEN: Final = re.compile(r"#token=(trv_[a-z]+_[A-Za-z0-9_-]+)")


@dataclass
class MailServer:
    """What the server has accepted, and how it answers. The attributes can be changed while it runs."""

    port: int = 0
    user: tuple[str, str] | None = None
    rcpt_answer: str | None = None
    """The answer to each recipient; None: accepted."""
    data_answer: str | None = None
    """The answer to each message; None: accepted."""
    lost_answers: int = 0
    """So many messages are accepted without an answer: the connection breaks."""
    hangs: bool = False
    """Whether it never answers a message."""
    is_busy: bool = False
    """Whether a message has begun to arrive."""
    received: list[Envelope] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def messages(self) -> list[EmailMessage]:
        """The parsed messages."""
        return [parsed(each) for each in self.received]

    def to(self, recipient: str) -> list[EmailMessage]:
        """The messages to one address."""
        return [parsed(each) for each in self.received if each.rcpt_tos == [recipient]]

    async def message_to(self, recipient: str) -> EmailMessage:
        """The first message to this address, when it has arrived."""
        async with asyncio.timeout(HANG_SECONDS):
            while not self.to(recipient):
                self._arrived.clear()
                await self._arrived.wait()
        return self.to(recipient)[0]

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer RCPT."""
        if self.rcpt_answer is not None:
            return self.rcpt_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer a message."""
        self.is_busy = True
        if self.hangs:
            await asyncio.Event().wait()
        if self.data_answer is not None:
            return self.data_answer
        self.received.append(envelope)
        self._arrived.set()
        if self.lost_answers:
            self.lost_answers -= 1
            cast("asyncio.Transport", server.transport).abort()
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Whether user and password are right."""
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == self.user, handled=False)


def parsed(envelope: Envelope) -> EmailMessage:
    """The message of an envelope."""
    content = cast("bytes", envelope.content)
    return email.message_from_bytes(content, policy=email.policy.default)


def text_of(message: EmailMessage) -> str:
    """The plain part."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def token_in(message: EmailMessage) -> str:
    """The token of the link."""
    [token] = _TOKEN.findall(text_of(message))
    return str(token)


@asynccontextmanager
async def mail_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, user: tuple[str, str] | None = None
) -> AsyncIterator[MailServer]:
    """A server that listens, with STARTTLS, with TLS, or without."""
    found = MailServer(user=user)
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            found,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=found.authenticate,
            auth_required=user is not None,
            auth_require_tls=starttls is not None,
            loop=loop,
        )

    server = await loop.create_server(protocol, HOST, 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
