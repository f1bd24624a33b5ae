"""The repositories of mails and of the tokens of their links."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain.mail import LinkPurpose, MailKind
from persistence.models import LinkTokenRow, MailRow
from persistence.models.rows import column_names, row_factory
from persistence.repositories.rows import RowRepository

_MAIL_COLUMNS: Final = ", ".join(f"m.{name}" for name in column_names(MailRow))
# A process that dies leaves its mail with this lease: then another one tries again. SKIP LOCKED: no process waits for
# another one's claim. The statement is one transaction, so it also works through a pooler.
_CLAIM: Final = f"""
WITH next AS (
    SELECT id FROM mails
    WHERE sent_at IS NULL AND failed_at IS NULL AND next_attempt_at <= clock_timestamp() AND kind = ANY($2::text[])
    ORDER BY next_attempt_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE mails AS m SET attempts = m.attempts + 1, next_attempt_at = clock_timestamp() + $1::interval
FROM next WHERE m.id = next.id RETURNING {_MAIL_COLUMNS}
"""  # noqa: S608 - of the names of columns
_SENT: Final = (
    "UPDATE mails SET sent_at = clock_timestamp(), error = NULL WHERE id = $1 AND sent_at IS NULL RETURNING 1"
)
_GIVE_UP: Final = (
    "UPDATE mails SET failed_at = clock_timestamp(), error = $2"
    " WHERE id = $1 AND sent_at IS NULL AND failed_at IS NULL RETURNING 1"
)
# The attempt has a number, so that a process whose lease has ended does not move the next attempt of another one.
_LATER: Final = (
    "UPDATE mails SET next_attempt_at = clock_timestamp() + $3::interval, error = $4"
    " WHERE id = $1 AND attempts = $2 AND sent_at IS NULL AND failed_at IS NULL RETURNING 1"
)
_DROP: Final = "DELETE FROM mails WHERE id = $1 RETURNING 1"
_REMOVE: Final = """
WITH old AS (
    SELECT id FROM mails WHERE created_at < $1 AND (sent_at < $1 OR failed_at < $1) ORDER BY created_at LIMIT $2
), removed AS (DELETE FROM mails WHERE id IN (SELECT id FROM old) RETURNING 1)
SELECT count(*) FROM removed
"""
_WAITING: Final = """
SELECT count(*), extract(epoch FROM clock_timestamp() - min(created_at))
FROM (SELECT created_at FROM mails WHERE sent_at IS NULL AND failed_at IS NULL ORDER BY next_attempt_at LIMIT $1) AS w
"""
_FAILED: Final = "SELECT count(*) FROM mails WHERE failed_at > $1"

_PUT: Final = """
INSERT INTO link_tokens (id, purpose, user_id, email, token_hash, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash RETURNING 1
"""
_TOKEN_COLUMNS: Final = ", ".join(column_names(LinkTokenRow))
_BY_HASH: Final = f"SELECT {_TOKEN_COLUMNS} FROM link_tokens WHERE token_hash = $1 AND purpose = $2"  # noqa: S608
_END: Final = "DELETE FROM link_tokens WHERE user_id = $1 AND purpose = $2 RETURNING 1"
_EXPIRE: Final = (
    "WITH expired AS (DELETE FROM link_tokens WHERE expires_at <= $1 RETURNING 1) SELECT count(*) FROM expired"
)

MAX_COUNTED: Final = 10_000
"""More waiting mails are not counted."""


class WaitingMails(NamedTuple):
    """How many mails wait, at most `MAX_COUNTED`, and the age of the oldest in seconds."""

    number: int
    oldest_seconds: float


class MailRepository(RowRepository[MailRow]):
    """Mails. Everything but adding them is done by the processes that send them."""

    model, name = MailRow, "Mail"

    async def claim(self, lease: timedelta) -> MailRow | None:
        """The next mail that is due, for this process until the end of the lease; None if there is none.

        Mails of kinds that only a newer version knows are left to processes of that version.
        """
        rows = await self._work.transaction.write(_CLAIM, lease, [kind.value for kind in MailKind])
        return row_factory(MailRow)(rows[0]) if rows else None

    async def note_sent(self, mail_id: UUID) -> None:
        """Store that the server of the recipient has accepted it."""
        await self._work.transaction.write(_SENT, mail_id)

    async def give_up(self, mail_id: UUID, error: str) -> None:
        """Store that it is not tried again."""
        await self._work.transaction.write(_GIVE_UP, mail_id, error)

    async def try_later(self, mail: MailRow, wait: timedelta, error: str) -> None:
        """Store when it is tried again, unless another process has tried it since."""
        await self._work.transaction.write(_LATER, mail.id, mail.attempts, wait, error)

    async def drop(self, mail_id: UUID) -> None:
        """Delete a mail for which there is no recipient."""
        await self._work.transaction.write(_DROP, mail_id)

    async def remove_older(self, before: datetime, *, at_most: int) -> int:
        """Delete mails that were sent or given up before this time; returns their number."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_REMOVE, before, at_most))

    async def waiting(self) -> WaitingMails:
        """The mails that wait for an attempt."""
        [(count, seconds)] = await self._work.transaction.fetch(_WAITING, MAX_COUNTED)
        return WaitingMails(int(count), float(seconds or 0))

    async def failed_since(self, after: datetime) -> int:
        """The number of mails that were given up after this time."""
        return int(await self._work.transaction.value(_FAILED, after))


class LinkTokenRepository(RowRepository[LinkTokenRow]):
    """The tokens of links. A used token is deleted."""

    model, name = LinkTokenRow, "Link"

    async def put(self, **values: Any) -> None:
        """Add the token of a mail, or replace its hash: another attempt of the mail may use a newer secret."""
        names = ("id", "purpose", "user_id", "email", "token_hash", "expires_at")
        await self._work.transaction.begin()
        await self._work.transaction.write(_PUT, *(values[name] for name in names))

    async def find_by_hash(self, token_hash: bytes, purpose: LinkPurpose) -> LinkTokenRow | None:
        """The token with this hash, not locked, or None."""
        rows = await self._work.transaction.fetch(_BY_HASH, token_hash, purpose.value)
        return row_factory(LinkTokenRow)(rows[0]) if rows else None

    async def end_of_user(self, user_id: UUID, purpose: LinkPurpose) -> None:
        """Delete a user's tokens for this purpose now."""
        await self._work.transaction.begin()
        await self._work.transaction.write(_END, user_id, purpose.value)

    async def remove_expired(self, now: datetime) -> int:
        """Delete expired tokens; returns their number."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_EXPIRE, now))
