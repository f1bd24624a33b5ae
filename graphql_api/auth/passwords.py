"""Hashing and checking passwords without blocking the event loop."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import bcrypt

from domain.errors import Invalid, Unavailable
from domain.user import MAX_PASSWORD_BYTES

_LEAST_ROUNDS: Final = 4
_MOST_ROUNDS: Final = 16
_STORED: Final = re.compile(r"\$2[aby]\$(?P<rounds>[0-9]{2})\$[./A-Za-z0-9]{53}")
_DIGEST_CHARACTERS: Final = 31

# bcrypt sees this in the place of a password that cannot be one; it has a length no base64 digest has.
_IMPOSSIBLE: Final = b"impossible"

_Result = TypeVar("_Result")


class Passwords:
    """bcrypt over base64(SHA-384(password)), a few at a time, in threads of its own.

    The digest makes a password count in full, where bcrypt alone reads 72 bytes and stops at a NUL; base64
    because the digest itself may hold that NUL.

    Somebody who guesses names learns nothing from the time an answer takes: every `verify` computes exactly
    one bcrypt of the current cost. The exception is a hash of another cost, until its
    user changes the password.
    """

    def __init__(self, rounds: int, concurrency: int = 2, queue: int = 32) -> None:
        """Prepare for hashes of cost 2 ** *rounds*.

        At most *concurrency* are computed at a time, each keeping one core busy, and at most *queue* callers
        wait for their turn.

        Raises:
            ValueError: *rounds* lie outside 4 to 16.
        """
        if not _LEAST_ROUNDS <= rounds <= _MOST_ROUNDS:
            raise ValueError(f"bcrypt rounds must lie between {_LEAST_ROUNDS} and {_MOST_ROUNDS}, not {rounds}.")
        self._rounds = rounds
        self._queue = queue
        self._waiting = 0
        self._slots = asyncio.Semaphore(concurrency)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="passwords")
        # A salt and any digest are a complete hash: nothing has to be computed to have one nobody can match.
        self._dummy = bcrypt.gensalt(rounds) + b"." * _DIGEST_CHARACTERS

    @property
    def waiting(self) -> int:
        """How many callers wait for their turn."""
        return self._waiting

    async def hash(self, password: str) -> str:
        """What to store of a password: 60 ASCII characters, another salt each time.

        Raises:
            Invalid: the password is over 1,024 bytes of UTF-8, or no text.
            Unavailable: too many are waiting already.
        """
        secret = _secret(password)
        if secret is None:
            raise Invalid(f"password must be text of at most {MAX_PASSWORD_BYTES:,} bytes.", path=("password",))
        return await self._in_turn(lambda: bcrypt.hashpw(secret, bcrypt.gensalt(self._rounds)).decode())

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether *stored* was made of this password.

        False, after equal work, when there is no such user (None), when the password is too long or no text, and
        when *stored* is no hash.

        Raises:
            Unavailable: too many are waiting already.
        """
        secret = _secret(password)
        matches = await self._in_turn(lambda: self._matches(secret or _IMPOSSIBLE, stored))
        return matches and secret is not None and stored is not None

    def close(self) -> None:
        """Let the threads end; nothing can be hashed any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, secret: bytes, stored: str | None) -> bool:
        if stored is not None and _rounds_of(stored) is not None:
            try:
                return bcrypt.checkpw(secret, stored.encode())
            except ValueError:
                pass  # its salt has bits that no salt has: refused before any work was done
        bcrypt.checkpw(secret, self._dummy)
        return False

    async def _in_turn(self, work: Callable[[], _Result]) -> _Result:
        await self._wait_for_a_slot()
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # A thread cannot be interrupted. When the caller goes away, its slot stays taken until the thread is
        # free: otherwise callers who hang up at once would pile work up behind the limit.
        job.add_done_callback(lambda _: self._slots.release())
        return await asyncio.shield(job)

    async def _wait_for_a_slot(self) -> None:
        if self._slots.locked() and self._waiting >= self._queue:
            raise Unavailable("Too many people are signing in at the moment. Please try again in a few seconds.")
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1


def _secret(password: str) -> bytes | None:
    """What bcrypt gets to see, 64 bytes; None for what cannot be anybody's password."""
    try:
        text = password.encode()
    except UnicodeEncodeError:
        return None
    if len(text) > MAX_PASSWORD_BYTES:
        return None
    return base64.b64encode(hashlib.sha384(text).digest())


def _rounds_of(stored: str) -> int | None:
    """The cost of a stored hash; None for what is none, or is one that would keep a core busy for minutes."""
    match = _STORED.fullmatch(stored)
    rounds = int(match["rounds"]) if match else 0
    return rounds if _LEAST_ROUNDS <= rounds <= _MOST_ROUNDS else None
