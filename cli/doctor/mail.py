"""Checks of e-mail: whether the mail server accepts this server, and what waits."""

from datetime import timedelta
from typing import Final

from cli.doctor.finding import CheckResult, make_finding
from domain.errors import DomainError
from persistence.database import Database
from server.settings import Settings
from server.smtp import NotSent, SMTPTransport
from services.mail import failed_mails, waiting_mails

NAME: Final = "e-mail"
QUEUE: Final = "e-mail queue"
LATE_SECONDS: Final = 900.0
"""The age of the oldest waiting mail that deserves a look. After an hour a link in it has expired."""
_DAY: Final = timedelta(days=1)


async def server(settings: Settings) -> CheckResult:
    """Connect, encrypt and sign in as for a mail. Nothing is sent."""
    place = f"{settings.smtp_host}:{settings.smtp_port}, {settings.smtp_security.value}"
    try:
        await SMTPTransport(settings).check()
    except NotSent as error:
        return make_finding(NAME, f"{place}: {error}", bad="Correct the SMTP settings, or start the mail server.")
    return make_finding(NAME, place)


async def queue(database: Database) -> CheckResult:
    """What waits and what was given up within a day. The tables must be those of this version."""
    try:
        waiting = await waiting_mails(database.unit_of_work(None))
        failed = await failed_mails(database.unit_of_work(None), within=_DAY)
    except DomainError as error:
        return make_finding(QUEUE, error.message, bad="Try again.")
    detail = f"{waiting.number} waiting, {failed} given up within a day"
    if waiting.number:
        detail += f", the oldest waits for {waiting.oldest_seconds:,.0f} s"
    is_late = waiting.oldest_seconds > LATE_SECONDS
    return make_finding(
        QUEUE, detail, warning="The log of the server says why mails wait." if is_late or failed else ""
    )
