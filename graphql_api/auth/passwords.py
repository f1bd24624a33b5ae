"""Hashing and checking passwords without blocking the event loop."""

import asyncio
import base64
import hashlib
import re
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

# bcrypt sees this in the place of a password that cannot be one; it has a length no base64 digest has.
_IMPOSSIBLE: Final = b"impossible"

Admit = Callable[[], Awaitable[None]]
"""Called when a hash is about to be computed; raises to refuse it."""

_Result = TypeVar("_Result")


async def _always() -> None:
    """Admit every caller."""


class Passwords:
    """bcrypt over base64(SHA-384(NFC(password))), a few at a time, in threads of its own.

    The digest makes a password count in full, where bcrypt alone reads 72 bytes and stops at a NUL; base64
    because the digest itself may hold that NUL. NFC makes a password the same on every keyboard.

    The time that an answer takes does not depend on whether a user exists: the number of hashes depends on the
    password that was sent alone. `verify` computes one bcrypt of the current cost for a password in NFC, which nearly
    every one is, and two for another one: hashes from before passwords were normalised are of the text as it was
    sent. The exceptions are a hash of another cost, until its user changes the password, and a match of a text that
    was stored unnormalised, which computes its replacement.

    Callers wait in a fair queue: see `HashQueue`.
    """

    def __init__(self, rounds: int, concurrency: int = 2, queue: QueueLimits | None = None) -> None:
        """Prepare for hashes of cost 2 ** *rounds*.

        At most *concurrency* are computed at a time, each keeping one core busy; *queue* bounds how many callers wait.

        Raises:
            ValueError: *rounds* lie outside 4 to 16.
        """
        if not _LEAST_ROUNDS <= rounds <= _MOST_ROUNDS:
            raise ValueError(f"bcrypt rounds must lie between {_LEAST_ROUNDS} and {_MOST_ROUNDS}, not {rounds}.")
        self._rounds = rounds
        self._queue = HashQueue(concurrency, queue)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="passwords")
        # A salt and any digest are a complete hash: nothing has to be computed to have one nobody can match.
        self._dummy = bcrypt.gensalt(rounds) + b"." * _DIGEST_CHARACTERS

    @property
    def waiting(self) -> int:
        """How many callers wait for their turn."""
        return self._queue.waiting

    async def hash(self, password: str, *, caller: Caller = LOCAL, admit: Admit = _always) -> str:
        """What to store of a password: 60 ASCII characters, another salt each time.

        Raises:
            Invalid: the password is over 1,024 bytes of UTF-8 in NFC, or no text.
            RateLimited, Unavailable: there is no room in the queue, or *admit* refuses.
        """
        secret = _secret(_normal(password))
        if secret is None:
            raise Invalid(f"password must be text of at most {MAX_PASSWORD_BYTES:,} bytes.", path=("password",))
        return await self._in_turn(lambda: self._hash(secret), caller, admit)

    async def verify(
        self, password: str, stored: str | None, *, caller: Caller = LOCAL, admit: Admit = _always
    ) -> Verification:
        """Whether *stored* was made of this password.

        False, after equal work, when there is no such user (None), when the password is too long or no text, and
        when *stored* is no hash.

        Raises:
            RateLimited, Unavailable: there is no room in the queue, or *admit* refuses.
        """
        normal = _normal(password)
        secrets = [_secret(normal), *([] if normal == password else [_secret(password)])]
        return await self._in_turn(lambda: self._verify(secrets, stored), caller, admit)

    def close(self) -> None:
        """Let the threads end; nothing can be hashed any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, secrets: list[bytes | None], stored: str | None) -> Verification:
        """Compare every form of a password, its normal one first; what only another form matches is to be replaced."""
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
                pass  # its salt has bits that no salt has: refused before any work was done
        bcrypt.checkpw(secret, self._dummy)
        return False

    async def _in_turn(self, work: Callable[[], _Result], caller: Caller, admit: Admit) -> _Result:
        await self._queue.acquire(caller)
        try:
            await admit()
            job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except BaseException:
            self._queue.release(caller)
            raise
        # A thread cannot be interrupted. When the caller goes away, its turn lasts until the thread is free:
        # otherwise callers who hang up at once would pile work up behind the limit.
        job.add_done_callback(lambda _: self._queue.release(caller))
        return await asyncio.shield(job)


def hashes_of(password: str) -> int:
    """How many hashes it takes to check a password."""
    return 1 if _normal(password) == password else 2


def _normal(password: str) -> str:
    """The password in NFC; the same text if it is too long to be one."""
    # The bound comes first: to normalise takes time that grows with the square of the length.
    return password if _is_too_long(password, MAX_SENT_PASSWORD_BYTES) else normal_password(password)


def _is_too_long(text: str, most: int) -> bool:
    return len(text) > most or len(text.encode(errors="surrogatepass")) > most


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
