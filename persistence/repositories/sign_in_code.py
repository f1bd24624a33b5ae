"""The repository of sign-in codes."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from persistence.repositories.rows import Work

_STORE: Final = """
INSERT INTO sign_in_codes (session_id, code_hash, challenge, port, client_name, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (session_id) DO UPDATE SET code_hash = excluded.code_hash, challenge = excluded.challenge,
  port = excluded.port, client_name = excluded.client_name, expires_at = excluded.expires_at
RETURNING 1
"""
_USER: Final = (
    "SELECT s.user_id FROM sign_in_codes AS c JOIN sessions AS s ON s.id = c.session_id WHERE c.code_hash = $1"
)
_TAKE: Final = "DELETE FROM sign_in_codes WHERE code_hash = $1 RETURNING challenge, port, client_name, expires_at"


class TakenCode(NamedTuple):
    """A code that was just used."""

    challenge: str
    port: int
    client_name: str
    expires_at: datetime


class SignInCodeRepository:
    """Sign-in codes. A session has one at most."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def store(
        self, session_id: UUID, code_hash: bytes, *, challenge: str, port: int, client_name: str, expires_at: datetime
    ) -> None:
        """Store the code of a session now; it replaces an earlier one."""
        await self._work.transaction.begin()
        await self._work.transaction.write(_STORE, session_id, code_hash, challenge, port, client_name, expires_at)

    async def find_user(self, code_hash: bytes) -> UUID | None:
        """The user who confirmed the code, or None."""
        user_id: UUID | None = await self._work.transaction.value(_USER, code_hash)
        return user_id

    async def take(self, code_hash: bytes) -> TakenCode | None:
        """Use a code: it is deleted now. None if it is unknown, or if another process has taken it."""
        await self._work.transaction.begin()
        rows = await self._work.transaction.write(_TAKE, code_hash)
        return TakenCode(*rows[0]) if rows else None
