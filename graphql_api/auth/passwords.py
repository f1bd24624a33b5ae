"""Hashes and verifies passwords without blocking the event loop."""

import asyncio
import base64
import hashlib
import os
import re
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import bcrypt

from domain.errors import Invalid
from domain.user import MAX_PASSWORD_BYTES, MAX_SENT_PASSWORD_BYTES, Verification, normal_password
from graphql_api.auth.hash_queue import LOCAL, Caller, HashQueue, QueueLimits

_LEAST_ROUNDS: Final = 4
_MOST_ROUNDS: Final = 16
_STORED: Final = re.compile(r"\$2[aby]\$(?P<rounds>[0-9]{2})\$[./A-Za-z0-9]{53}")
_DIGEST_CHARACTERS: Final = 31
_NICENESS: Final = 5
"""Makes a thread that hashes get a third of the time of the event loop, if both wait for the same core."""

# Replaces an invalid password for bcrypt. Its length differs from that of every base64 digest, so it matches no hash.
_IMPOSSIBLE: Final = b"impossible"

Admit = Callable[[], Awaitable[None]]
"""Called directly before a hash is computed. It raises an error to prevent that."""

_Result = TypeVar("_Result")


async def _always() -> None:
    """Admit all callers."""


class Passwords:
    """Computes bcrypt over base64(SHA-384(NFC(password))) in a small pool of threads.

    bcrypt alone reads only 72 bytes and stops at a NUL byte. With the digest, the complete password counts. base64
    removes NUL bytes from the digest. NFC makes a password independent of the keyboard.

    The response time does not show whether a user exists, because the number of hashes depends only on the password
    that was sent. `verify` computes one bcrypt hash of the current cost for a password in NFC, and two for a password
    that is not in NFC: hashes that were stored before passwords were normalised are of the text as it was sent. There
    are two exceptions: a stored hash with another cost, until its user changes the password; and a match of a password
    that was stored without normalisation, whose replacement is computed at once.

    Callers wait in a fair queue; see `HashQueue`.
    """

    def __init__(self, rounds: int, concurrency: int = 2, queue: QueueLimits | None = None) -> None:
        """Create a hasher with cost 2 ** *rounds*.

        At most *concurrency* hashes are computed at a time; each uses one core. *queue* limits how many callers wait.

        Raises:
            ValueError: *rounds* is not between 4 and 16.
        """
        if not _LEAST_ROUNDS <= rounds <= _MOST_ROUNDS:
            raise ValueError(f"bcrypt rounds must lie between {_LEAST_ROUNDS} and {_MOST_ROUNDS}, not {rounds}.")
        self._rounds = rounds
        self._queue = HashQueue(concurrency, queue)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="passwords", initializer=_lower_priority)
        # A salt and an arbitrary digest form a hash that no password matches, without computing anything.
        self._dummy = bcrypt.gensalt(rounds) + b"." * _DIGEST_CHARACTERS

    @property
    def waiting(self) -> int:
        """The number of callers that wait for a turn."""
        return self._queue.waiting

    async def hash(self, password: str, *, caller: Caller = LOCAL, admit: Admit = _always) -> str:
        """Hash a password for storage: 60 ASCII characters, with a new salt each time.

        Raises:
            Invalid: the password has more than 1,024 bytes as UTF-8 in NFC, or is not valid text.
            RateLimited, Unavailable: the queue is full, or *admit* raised it.
        """
        secret = _secret(_normal(password))
        if secret is None:
            raise Invalid(f"password must be text of at most {MAX_PASSWORD_BYTES:,} bytes.", path=("password",))
        return await self._run_in_turn(lambda: self._hash(secret), caller, admit)

    async def verify(
        self, password: str, stored: str | None, *, caller: Caller = LOCAL, admit: Admit = _always
    ) -> Verification:
        """Check whether *stored* is a hash of this password.

        The result is False, after the same amount of work, if there is no such user (*stored* is None), if the
        password is too long or not valid text, or if *stored* is not a valid hash.

        Raises:
            RateLimited, Unavailable: the queue is full, or *admit* raised it.
        """
        normal = _normal(password)
        secrets = [_secret(normal), *([] if normal == password else [_secret(password)])]
        return await self._run_in_turn(lambda: self._verify(secrets, stored), caller, admit)

    def close(self) -> None:
        """Stop the threads. After that, no hash can be computed."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, secrets: list[bytes | None], stored: str | None) -> Verification:
        """Compare each form of a password, the normalised form first. Replace the hash if only another form matches."""
        matches = [self._matches(secret or _IMPOSSIBLE, stored) and secret is not None for secret in secrets]
        if any(matches) and not matches[0] and secrets[0] is not None:
            return Verification(True, replacement=self._hash(secrets[0]))
        return Verification(any(matches))

    def _hash(self, secret: bytes) -> str:
        return bcrypt.hashpw(secret, bcrypt.gensalt(self._rounds)).decode()

    def _matches(self, secret: bytes, stored: str | None) -> bool:
        if stored is not None and _rounds_of(stored) is not None:
            try:
                return bcrypt.checkpw(secret, stored.encode())
            except ValueError:
                pass  # The salt is invalid; bcrypt has not computed anything yet.
        bcrypt.checkpw(secret, self._dummy)
        return False

    async def _run_in_turn(self, work: Callable[[], _Result], caller: Caller, admit: Admit) -> _Result:
        await self._queue.acquire(caller)
        try:
            await admit()
            job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except BaseException:
            self._queue.release(caller)
            raise
        # A thread cannot be interrupted. So if the caller is cancelled, its turn lasts until the thread is free.
        # Otherwise clients that disconnect at once could start more work than the limit allows.
        job.add_done_callback(lambda _: self._queue.release(caller))
        return await asyncio.shield(job)


def _lower_priority() -> None:
    """Let this thread wait for others, on Linux. Elsewhere the priority belongs to the whole process."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)


def hashes_of(password: str) -> int:
    """The number of hashes that `verify` computes for a password."""
    return 1 if _normal(password) == password else 2


def _normal(password: str) -> str:
    """The password in NFC, or the unchanged text if it is too long for a password."""
    # Check the length first: the time for the normalisation grows with the square of the length.
    return password if _is_too_long(password, MAX_SENT_PASSWORD_BYTES) else normal_password(password)


def _is_too_long(text: str, most: int) -> bool:
    return len(text) > most or len(text.encode(errors="surrogatepass")) > most


def _secret(password: str) -> bytes | None:
    """The input of bcrypt, 64 bytes; None if the text cannot be a password."""
    try:
        text = password.encode()
    except UnicodeEncodeError:
        return None
    if len(text) > MAX_PASSWORD_BYTES:
        return None
    return base64.b64encode(hashlib.sha384(text).digest())


def _rounds_of(stored: str) -> int | None:
    """The cost of a stored hash; None if it is not a hash, or if its cost is so high that it would take minutes."""
    match = _STORED.fullmatch(stored)
    rounds = int(match["rounds"]) if match else 0
    return rounds if _LEAST_ROUNDS <= rounds <= _MOST_ROUNDS else None
