"""Sends mails by SMTP, or prints them on the terminal during development."""

import asyncio
import ssl
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Final, Protocol

import aiosmtplib

from domain.mail import ATTEMPT_SECONDS
from persistence.models import MailRow
from server.settings import Settings, SMTPSecurity
from services.mail import MadeMail

STEP_SECONDS: Final = 20.0
"""How long the mail server has to answer one command."""
_PERMANENT: Final = range(500, 600)


class Undeliverable(Exception):
    """The mail server refuses this recipient or this message for good. The message has no address."""


class NotSent(Exception):
    """The mail server did not accept the message; a later attempt may succeed."""


class MailTransport(Protocol):
    """Where mails go."""

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Send a message.

        Raises:
            Undeliverable: it is useless to try again.
            NotSent: it failed; it may have arrived nevertheless.
        """

    async def close(self) -> None:
        """End the connection, if there is one."""


def make_message(row: MailRow, made: MadeMail, sender: str) -> EmailMessage:
    """The message of a mail, with a plain and an HTML part. Its Message-ID is the same at each attempt.

    Raises:
        ValueError: a header would have a line break, or an address is none.
    """
    message = EmailMessage(policy=SMTP_POLICY)
    local, _, domain = made.recipient.rpartition("@")
    message["From"] = sender
    message["To"] = Address(
        username=local, domain=domain
    )  # without a display name, so no name can look like an address
    message["Subject"] = made.text.subject
    message["Date"] = format_datetime(row.created_at)
    message["Message-ID"] = f"<{row.id}@{message['From'].addresses[0].domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(made.text.plain)
    message.add_alternative(made.text.html, subtype="html")
    return message


class SMTPTransport:
    """One connection to the mail server at a time, which is kept until `close`."""

    def __init__(self, settings: Settings) -> None:
        """*settings* name the mail server."""
        self._settings = settings
        self._connection: aiosmtplib.SMTP | None = None

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """See `MailTransport`."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                connection = await self._connected()
                await connection.send_message(message, recipients=[recipient])
        except BaseException as error:
            await self._drop()  # its state is unknown
            if not isinstance(error, (aiosmtplib.SMTPException, OSError, TimeoutError)):
                raise
            raise _failure(error) from error

    async def check(self) -> None:
        """Connect, encrypt and sign in as for a mail, and send nothing.

        Raises:
            NotSent: this fails.
        """
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await (await self._connected()).noop()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise NotSent(_described(error)) from error
        finally:
            await self.close()

    async def close(self) -> None:
        """End the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                async with asyncio.timeout(1):
                    await connection.quit()
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                connection.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._connection is None or not self._connection.is_connected:
            settings, password = self._settings, self._settings.smtp_secret
            connection = aiosmtplib.SMTP(
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_username,
                password=password.get_secret_value() if password is not None else None,
                timeout=STEP_SECONDS,
                use_tls=settings.smtp_security is SMTPSecurity.TLS,
                start_tls=settings.smtp_security is SMTPSecurity.STARTTLS,
                tls_context=ssl.create_default_context(),
            )
            self._connection = connection  # so that a failure or a time-out closes it
            await connection.connect()
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class TerminalTransport:
    """Prints mails, for development."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """*write* prints a text."""
        self._write = write

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """See `MailTransport`."""
        body = message.get_body(("plain",))
        text = body.get_content() if body is not None else ""
        lines = [f"To: {recipient}", f"Subject: {message['Subject']}", "", *text.rstrip().split("\n")]
        self._write("\n".join(["", *(f"  │ {line}" for line in lines), ""]))

    async def close(self) -> None:
        """There is no connection."""


def _failure(error: Exception) -> Exception:
    """What the failure means for this mail. Only a refusal of the recipient or of the message is final.

    A refused sender, sign-in or greeting comes from the settings, and concerns all mails: these wait.
    """
    refused = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    if isinstance(refused, (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError)) and refused.code in _PERMANENT:
        return Undeliverable(_described(refused))
    if isinstance(error, aiosmtplib.SMTPNotSupported) and "SMTPUTF8" in error.message:
        return Undeliverable("the mail server does not support addresses with letters beyond ASCII")
    return NotSent(_described(refused))


def _described(error: Exception) -> str:
    """The reason, without the texts of the server: they repeat addresses."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.code}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {cause.verify_message}"
    return type(error).__name__ if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
