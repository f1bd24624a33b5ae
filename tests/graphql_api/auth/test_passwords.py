"""Passwords count in full, unknown users cost the same, and hashing does not block the loop."""

import asyncio
import os
import string
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import count
from threading import Event, current_thread, get_native_id

import bcrypt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import Invalid, RateLimited, Unavailable
from domain.user import MAX_PASSWORD_BYTES, MAX_SENT_PASSWORD_BYTES, NO_PASSWORD, Verification
from graphql_api.auth import passwords as module
from graphql_api.auth.hash_queue import Caller, QueueLimits
from graphql_api.auth.passwords import Passwords, hashes_of
from tests.support.waiting import HANG_SECONDS

ROUNDS = 4
COMPOSED = "J\u00fcrgen-1\u00c5"
DECOMPOSED = "Ju\u0308rgen-1\u212b"


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    passwords = Passwords(ROUNDS)
    yield passwords
    passwords.close()


async def matches(passwords: Passwords, password: str, stored: str | None) -> bool:
    """Whether the password is the one that was stored."""
    return (await passwords.verify(password, stored)).matches


def callers() -> Iterator[Caller]:
    """One after another, each from an address of its own."""
    return (Caller(f"192.0.2.{number}", "ada") for number in count(1))


class Gate:
    """Replaces bcrypt, and blocks until it is opened."""

    def __init__(self) -> None:
        self.opened = Event()
        self.entered = 0

    def checkpw(self, *_: bytes) -> bool:
        self.entered += 1
        assert self.opened.wait(timeout=HANG_SECONDS)
        return True

    async def until_entered(self, times: int) -> None:
        # Threads cannot set an event of the loop.
        while self.entered < times:
            await asyncio.sleep(0.001)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(bcrypt, "checkpw", gate.checkpw)
    return gate


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The cost of each bcrypt that was computed."""
    done: list[bytes] = []
    real = bcrypt.checkpw

    def checkpw(password: bytes, hashed: bytes) -> bool:
        result = real(password, hashed)
        done.append(hashed[:7])
        return result

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    return done


class TestMatching:
    async def test_a_password_matches_its_hash_only(self, passwords: Passwords) -> None:
        """The right password is accepted, another one is not."""
        stored = await passwords.hash("Correct-horse1")
        assert await matches(passwords, "Correct-horse1", stored)
        assert not await matches(passwords, "correct-horse1", stored)

    async def test_equal_passwords_are_stored_differently(self, passwords: Passwords) -> None:
        """The hashes of two users with the same password differ."""
        assert await passwords.hash("Correct-horse1") != await passwords.hash("Correct-horse1")

    @pytest.mark.parametrize("length", [71, 72, 73, 500, MAX_PASSWORD_BYTES])
    async def test_the_last_byte_counts(self, passwords: Passwords, length: int) -> None:
        """Passwords that differ in their last byte only are different, up to the longest."""
        stored = await passwords.hash("x" * (length - 1) + "a")
        assert await matches(passwords, "x" * (length - 1) + "a", stored)
        assert not await matches(passwords, "x" * (length - 1) + "b", stored)

    async def test_a_nul_ends_nothing(self, passwords: Passwords) -> None:
        """What follows a NUL counts."""
        stored = await passwords.hash("a\x00b")
        assert not await matches(passwords, "a\x00c", stored)

    def test_the_input_of_bcrypt_is_fixed(self) -> None:
        """A change would invalidate all stored passwords."""
        assert module._secret("Correct-horse1") == b"P8LTXJc4aUZ5N9Rj9pOcwQge3q4K9US3dGcFtcDdtoz+1IPI5P9UVUDuYM9E6NTV"

    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(password=st.text(st.characters(exclude_categories=()), max_size=600))
    async def test_any_text_may_be_tried(self, passwords: Passwords, password: str) -> None:
        """For an unknown user the result is False."""
        assert not await matches(passwords, password, None)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(
        stored=st.text() | st.text(string.ascii_letters + "./$09é", min_size=53, max_size=53).map("$2b$04${}".format)
    )
    async def test_any_stored_hash_is_handled(self, passwords: Passwords, stored: str) -> None:
        """An invalid hash matches nothing and raises nothing."""
        assert not await matches(passwords, "Correct-horse1", stored)


class TestEqualWork:
    async def test_unknown_users_cost_the_same(self, passwords: Passwords, work: list[bytes]) -> None:
        """Unknown users, unusable passwords and invalid hashes each take one bcrypt of the current cost."""
        stored = await passwords.hash("Correct-horse1")
        broken = f"$2b$04${'9' * 53}"  # well-formed, but the salt has bits that no salt has
        for password, against in [
            ("Correct-horse1", stored),
            ("wrong", stored),
            ("wrong", None),
            ("x" * (MAX_PASSWORD_BYTES + 1), stored),
            ("\ud800", stored),
            ("\ud800", None),
            ("wrong", ""),
            ("wrong", broken),
            ("wrong", stored.replace("$04$", "$31$")),
        ]:
            work.clear()
            await passwords.verify(password, against)
            assert work == [b"$2b$04$"]

    async def test_only_the_sent_text_decides_the_number_of_hashes(
        self, passwords: Passwords, work: list[bytes]
    ) -> None:
        """A password that is not in NFC takes two, for known and unknown users."""
        for against in (await passwords.hash(COMPOSED), await passwords.hash("Correct-horse1"), None, ""):
            work.clear()
            await passwords.verify(DECOMPOSED, against)
            assert work == [b"$2b$04$"] * 2 == [b"$2b$04$"] * hashes_of(DECOMPOSED)


class TestNormalForm:
    @pytest.mark.parametrize("typed", ["Ju\u0308rgen-1\u212b", "J\u00fcrgen-1\u00c5", "J\u00fcrgen-1A\u030a"])
    async def test_equal_texts_are_equal_passwords(self, passwords: Passwords, typed: str) -> None:
        """However its characters are composed, a password matches, and nothing has to be replaced."""
        for first in (COMPOSED, DECOMPOSED):
            assert await passwords.verify(typed, await passwords.hash(first)) == Verification(True)

    async def test_nfc_and_not_nfkc(self, passwords: Passwords) -> None:
        """Characters that look similar stay different."""
        assert not await matches(passwords, "\ufb01sh", await passwords.hash("fish"))

    async def test_a_hash_of_an_unnormalised_text_is_replaced(self, passwords: Passwords) -> None:
        """Hashes from before passwords were normalised match the same text, and come with a replacement."""
        older = bcrypt.hashpw(module._secret(DECOMPOSED) or b"", bcrypt.gensalt(ROUNDS)).decode()
        verified = await passwords.verify(DECOMPOSED, older)
        assert verified.matches
        assert verified.replacement is not None
        assert await passwords.verify(COMPOSED, verified.replacement) == Verification(True)
        assert not await matches(passwords, COMPOSED, older)

    async def test_a_long_text_is_not_normalised(self, passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
        """Normalising a long run of marks takes minutes."""
        seen: list[int] = []

        def normal_password(text: str) -> str:
            seen.append(len(text))
            return text

        monkeypatch.setattr(module, "normal_password", normal_password)
        for text in ("a" + "\u0301\u0316" * 60_000, "x" * (MAX_SENT_PASSWORD_BYTES + 1), "\ud800" * 2_000, "short"):
            assert not await matches(passwords, text, None)
        assert set(seen) == {5}


class TestUnusablePasswords:
    @pytest.mark.parametrize("password", ["x" * (MAX_PASSWORD_BYTES + 1), "é" * 513, "\udfff"])
    async def test_unusable_passwords_are_not_hashed(self, passwords: Passwords, password: str) -> None:
        """The error does not contain the password."""
        with pytest.raises(Invalid) as refusal:
            await passwords.hash(password)
        assert password not in refusal.value.message

    async def test_unusable_passwords_match_nothing(self, passwords: Passwords) -> None:
        """Not even a hash of their replacement."""
        stored = bcrypt.hashpw(module._IMPOSSIBLE, bcrypt.gensalt(ROUNDS)).decode()
        assert not await matches(passwords, "\udfff", stored)


class TestCost:
    async def test_a_hash_of_another_cost_still_matches(self, passwords: Passwords) -> None:
        """A change of the cost invalidates no password."""
        stored = bcrypt.hashpw(module._secret("Correct-horse1") or b"", bcrypt.gensalt(5)).decode()
        assert await matches(passwords, "Correct-horse1", stored)

    @pytest.mark.parametrize("rounds", [3, 17])
    def test_an_invalid_cost_is_refused(self, rounds: int) -> None:
        """A cost that bcrypt does not know, or that takes seconds, is refused at the start."""
        with pytest.raises(ValueError):
            Passwords(rounds)


class TestQueue:
    async def test_the_loop_goes_on(self, gate: Gate) -> None:
        """While passwords are checked, the event loop serves others."""
        passwords = Passwords(ROUNDS)
        job = asyncio.create_task(passwords.verify("x", None))
        await asyncio.wait_for(gate.until_entered(1), timeout=HANG_SECONDS)
        gate.opened.set()
        await job
        passwords.close()

    async def test_the_queue_is_bounded(self, gate: Gate) -> None:
        """Two compute, three wait, and the sixth is refused; afterwards there are free places again."""
        passwords = Passwords(ROUNDS, concurrency=2, queue=QueueLimits(total=3))
        each = callers()
        jobs = [asyncio.create_task(passwords.verify("x", None, caller=next(each))) for _ in range(5)]
        await gate.until_entered(2)

        with pytest.raises(Unavailable, match="try again"):
            await passwords.verify("x", None, caller=next(each))
        assert gate.entered == 2

        gate.opened.set()
        await asyncio.gather(*jobs)
        await passwords.verify("x", None, caller=next(each))
        passwords.close()

    async def test_a_disconnect_does_not_free_a_thread(self, gate: Gate) -> None:
        """A place is free only after its work is done."""
        passwords = Passwords(ROUNDS, concurrency=1, queue=QueueLimits(total=1))
        each = callers()
        gone = asyncio.create_task(passwords.verify("x", None, caller=next(each)))
        await gate.until_entered(1)
        gone.cancel()
        waiting = asyncio.create_task(passwords.verify("x", None, caller=next(each)))
        await asyncio.sleep(0)

        with pytest.raises(Unavailable):
            await passwords.verify("x", None, caller=next(each))

        gate.opened.set()
        await waiting
        passwords.close()

    async def test_a_refused_caller_passes_its_turn_on(self, passwords: Passwords) -> None:
        """Nothing is computed for it."""

        async def refuse() -> None:
            raise RateLimited("Too many.", retry_after=1)

        for _ in range(5):
            with pytest.raises(RateLimited):
                await passwords.verify("x", None, admit=refuse)
        assert not await matches(passwords, "x", None)

    async def test_hashing_has_its_own_threads(self, passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
        """It does not share the default threads of the loop."""
        names: list[str] = []
        monkeypatch.setattr(bcrypt, "checkpw", lambda *_: names.append(current_thread().name))
        await passwords.verify("x", None)
        assert names[0].startswith("passwords")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the priority belongs to the process")
async def test_hashing_has_a_lower_priority_than_the_event_loop(passwords: Passwords, monkeypatch: pytest.MonkeyPatch):
    """Requests and events do not wait for sign-ins if both need the same core."""
    of_threads: list[int] = []

    def checkpw(*_: bytes) -> bool:
        of_threads.append(os.getpriority(os.PRIO_PROCESS, get_native_id()))
        return True

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    await passwords.verify("anything", None)

    of_the_loop = os.getpriority(os.PRIO_PROCESS, get_native_id())
    assert of_threads == [min(of_the_loop + 5, 19)]


async def test_the_hash_of_a_user_without_a_password_is_well_formed_and_matches_none(passwords: Passwords):
    """So an older version, which does not know that there is no password, computes a hash and refuses."""
    assert module._rounds_of(NO_PASSWORD) is not None
    assert not bcrypt.checkpw(b"", NO_PASSWORD.encode())
    for password in ("", ".", "Correct-horse1", NO_PASSWORD):
        assert not await matches(passwords, password, NO_PASSWORD)
