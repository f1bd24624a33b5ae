"""Sends the mails that wait, in every process, beside the requests."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from domain.errors import Unavailable
from domain.mail import LEASE
from persistence.models import MailRow
from persistence.repositories.mail import WaitingMails
from persistence.unit_of_work import UnitOfWork
from server.smtp import MailTransport, NotSent, Undeliverable, make_message
from services import mail as mail_service
from services.mail import LinkMaker
from streaming.asyncio_helpers import run_forever

POLL_SECONDS: Final = 2.0
"""How often a process looks for mails. One statement with an index."""
WATCH_SECONDS: Final = 15.0

_log: Final = logging.getLogger("taskriver.mail")


class MailWorker:
    """Takes one mail at a time. Several workers, also in other processes, share the mails."""

    def __init__(
        self, new_unit_of_work: Callable[[], UnitOfWork], transport: MailTransport, links: LinkMaker, sender: str
    ) -> None:
        """*sender* is the header `From`."""
        self._new_unit_of_work = new_unit_of_work
        self._transport = transport
        self._links = links
        self._sender = sender
        self.counts: Counter[str] = Counter()
        """The attempts of this process: `sent`, `failed` (they are repeated) and `given_up`."""
        self.waiting = WaitingMails(0, 0.0)
        """What waits in the database, read every 15 seconds."""

    async def run(self) -> None:
        """Send mails until cancelled."""
        try:
            await run_forever(self._step, "sending mails")
        finally:
            await self._transport.close()

    async def watch(self) -> None:
        """Read what waits, for the metrics, until cancelled."""
        await run_forever(self._read_waiting, "counting the mails that wait")

    async def send_next(self) -> bool:
        """Try to send the next mail that is due; False if there is none.

        Raises:
            Unavailable: the database does not answer.
        """
        row = await mail_service.claim_mail(self._new_unit_of_work())
        if row is None:
            return False
        if row.expires_at <= row.next_attempt_at - LEASE:
            await self._give_up(row, row.error or "its link expired before the mail server accepted it")
            return True
        try:
            await self._send(row)
        except Undeliverable as error:
            await self._give_up(row, str(error))
        except NotSent as error:
            await self._try_later(row, str(error))
        except Unavailable:
            raise
        except Exception as error:
            _log.exception("the mail %s (%s) could not be made", row.id, row.kind)
            await self._try_later(row, type(error).__name__)
        return True

    async def _step(self) -> None:
        if not await self.send_next():
            await self._transport.close()
            await asyncio.sleep(POLL_SECONDS)

    async def _read_waiting(self) -> None:
        self.waiting = await mail_service.waiting_mails(self._new_unit_of_work())
        await asyncio.sleep(WATCH_SECONDS)

    async def _send(self, row: MailRow) -> None:
        made = await mail_service.make_mail(self._new_unit_of_work(), row, self._links)
        if made is None:
            return
        await self._transport.send(make_message(row, made, self._sender), made.recipient)
        self.counts["sent"] += 1
        await mail_service.note_sent(self._new_unit_of_work(), row)

    async def _give_up(self, row: MailRow, reason: str) -> None:
        self.counts["given_up"] += 1
        _log.error("the mail %s (%s) is given up after %s attempts: %s", row.id, row.kind, row.attempts, reason)
        await mail_service.give_up(self._new_unit_of_work(), row, reason)

    async def _try_later(self, row: MailRow, reason: str) -> None:
        self.counts["failed"] += 1
        wait = await mail_service.try_later(self._new_unit_of_work(), row, reason)
        seconds = wait.total_seconds()
        _log.warning(
            "the mail %s (%s) was not sent; the next attempt is in %.0f s: %s", row.id, row.kind, seconds, reason
        )
