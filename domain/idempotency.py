"""Idempotency keys: a request that is repeated with the same key is executed once."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final
from uuid import UUID

from domain import base64url
from domain.errors import BadRequest, IdempotencyMismatch, RateLimited

MAX_KEY: Final = 255
MAX_KEYS: Final = 100_000
"""The default of the number of keys that an account may use in 24 hours."""

RETENTION: Final = timedelta(days=30)
"""How long a key is stored at least. The next clean-up after that deletes it."""
COUNTED: Final = timedelta(hours=24)
"""The time within which the keys of an account are counted."""
SEVERAL_KEYS: Final = "The request has several idempotency keys; send only one."


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The client's key for a request. *place* is the response name of the mutation in GraphQL, and empty in REST."""

    text: str
    place: str = ""

    def scope(self, actor_id: UUID) -> bytes:
        """The identifier of the write among those of all users: a SHA-256 hash, which does not reveal the key."""
        return _digest([str(actor_id), self.text, self.place])

    def mutation_id(self, actor_id: UUID) -> str:
        """The public id of the write: 22 characters of base64url, the first 132 bits of a SHA-256 hash.

        The hash is that of three lines: the user's id in GraphQL, the key, and the place. The client that sent the key
        can calculate it, and recognize the event of its own change. Others can only check whether they guessed the key.
        """
        user = base64url.encode(b"User:" + actor_id.bytes)
        text = f"{user}\n{self.text}\n{self.place}"
        return base64url.encode(hashlib.sha256(text.encode()).digest())[:22]


def check_key(text: str) -> str:
    """Check a key: 1 to 255 visible ASCII characters.

    Raises:
        BadRequest: the key is invalid.
    """
    if not 1 <= len(text) <= MAX_KEY or not all("!" <= character <= "~" for character in text):
        raise BadRequest(f"An idempotency key is 1 to {MAX_KEY} visible ASCII characters, such as a UUID.")
    return text


def fingerprint(what: str, request: dict[str, object]) -> bytes:
    """The fingerprint of a request: equal for equal requests (SHA-256 of the canonical JSON)."""
    return _digest([what, request])


def check_same_request(known: bytes, current: bytes) -> None:
    """Refuse a key that was used for another request.

    Raises:
        IdempotencyMismatch: the fingerprints differ.
    """
    if known != current:
        raise IdempotencyMismatch("This idempotency key was used for another request. Use a new key for each request.")


def check_key_count(number: int, *, most: int, oldest: datetime | None, now: datetime) -> None:
    """Refuse a new key of an account that has too many of the last 24 hours; *number* includes the new one.

    Raises:
        RateLimited: there are more than *most*; it has the time until the *oldest* one is not counted any longer.
    """
    if number > most:
        wait = (oldest or now) + COUNTED - now
        raise RateLimited(keys_used_up(most), retry_after=ceil(wait.total_seconds()))


def keys_used_up(most: int) -> str:
    """The message of the error."""
    return (
        f"This account has used {most:,} idempotency keys in {COUNTED.total_seconds() / 3600:g} hours, which is the "
        "limit. Send the request without a key, or try again later."
    )


def _digest(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).digest()


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
