"""Doing a thing once, however often it is asked for: the client names its request by a key."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final
from uuid import UUID

from domain.errors import BadRequest, IdempotencyMismatch, RateLimited

MAX_KEY: Final = 255
MAX_KEYS: Final = 100_000
"""How many keys an account may use in the time for which they are kept, unless a setting says otherwise."""

KEPT_FOR: Final = timedelta(hours=24)
"""How long a key is remembered, at least: until the first clean-up after that."""
SEVERAL_KEYS: Final = "One request has one idempotency key, and this one has several."


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The client's name for a request; *place* tells the writes of one request apart, and is empty if it has one."""

    text: str
    place: str = ""

    def scope(self, actor_id: UUID) -> bytes:
        """Names the write among those of everybody: of one length, and without the key itself (SHA-256)."""
        return _digest([str(actor_id), self.text, self.place])


def check_key(text: str) -> str:
    """The key: 1 to 255 visible ASCII characters.

    Raises:
        BadRequest: it is none.
    """
    if not 1 <= len(text) <= MAX_KEY or not all("!" <= character <= "~" for character in text):
        raise BadRequest(f"An idempotency key is 1 to {MAX_KEY} visible ASCII characters, such as a UUID.")
    return text


def fingerprint(what: str, request: dict[str, object]) -> bytes:
    """What is asked for, in 32 bytes: equal for equal requests (SHA-256 of their canonical JSON)."""
    return _digest([what, request])


def check_same_request(known: bytes, asked: bytes) -> None:
    """Refuse a key that comes again with something else.

    Raises:
        IdempotencyMismatch: the fingerprints differ.
    """
    if known != asked:
        raise IdempotencyMismatch("This idempotency key was used for another request: every new one needs its own.")


def check_keys_kept(number: int, *, most: int, oldest: datetime | None, now: datetime) -> None:
    """Refuse one more key of an account that has too many; *number* includes it.

    Raises:
        RateLimited: there are more than *most*; says when the *oldest* one ends.
    """
    if number > most:
        wait = (oldest or now) + KEPT_FOR - now
        raise RateLimited(keys_used_up(most), retry_after=ceil(wait.total_seconds()))


def keys_used_up(most: int) -> str:
    """The text of the refusal."""
    return (
        f"This account has used {most:,} idempotency keys in {KEPT_FOR.total_seconds() / 3600:g} hours, which is the "
        "limit. Send the request without a key, or try again later."
    )


def _digest(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).digest()


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
