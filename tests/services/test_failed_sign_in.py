"""Failed sign-ins in the audit log: counted, bounded, and without what was typed."""

import asyncio

import pytest

from domain.audit import MAX_FAILURES, AuditAction
from domain.errors import InvalidCredentials, Unavailable
from domain.user import Verification
from persistence.unit_of_work import UnitOfWork
from services.failed_sign_in import FailedSignIns
from services.session import sign_in
from tests.support.audit import entries
from tests.support.builders import Builders

FAILED = AuditAction.SIGN_IN_FAILED
MOST = sum(MAX_FAILURES.values()) + 2


def counter(build: Builders) -> FailedSignIns:
    """The counts of one process."""
    return FailedSignIns(lambda: build.as_(None))


async def wrong(password: str, known: str | None) -> Verification:
    """No password is right."""
    return Verification(matches=False)


async def fail(build: Builders, failures: FailedSignIns, name: str, address: str = "192.0.2.7") -> None:
    """A sign-in that fails."""
    with pytest.raises(InvalidCredentials):
        await sign_in(
            build.as_(None),
            username=name,
            password="x",
            verify_password=wrong,
            key_ring={"dev": b"k"},
            ip_address=address,
            user_agent="agent",
            report_failure=lambda user: failures.add(FAILED, user, address),
        )


async def counted(build: Builders) -> dict[tuple[str | None, str | None], int]:
    """The numbers by username and address."""
    return {(row.subject_name, row.ip_address): row.times for row in await entries(build.database)}


async def test_equal_failures_are_one_entry(build: Builders):
    """By account and address. What is no username is not stored, because people type passwords there."""
    await build.a_user(username="ada")
    await build.a_user(username="gone", is_active=False)
    failures = counter(build)
    for name in ("ada", "ADA", "gone", "my-Passw0rd!", "another-Passw0rd"):
        await fail(build, failures, name)
    await fail(build, failures, "ada", "192.0.2.8")
    assert await counted(build) == {}
    await failures.flush()
    await fail(build, failures, "ada")
    await failures.flush()
    assert await counted(build) == {
        ("ada", "192.0.2.7"): 3,
        ("gone", "192.0.2.7"): 1,
        (None, "192.0.2.7"): 2,
        ("ada", "192.0.2.8"): 1,
    }
    stored = str([row.__dict__ for row in await entries(build.database)])
    assert "assw0rd" not in stored
    assert {row.actor_id for row in await entries(build.database)} == {None}


async def test_a_failure_writes_nothing_at_once(build: Builders):
    """Its request stores nothing: an attacker causes no writes."""
    failures = counter(build)
    async with build.unchanged():
        await fail(build, failures, "nobody")
    await failures.flush()
    assert await counted(build) == {(None, "192.0.2.7"): 1}


@pytest.mark.parametrize("same_address", [True, False])
async def test_many_names_make_few_entries(build: Builders, same_address: bool):
    """Ten thousand failures with different names: one entry for an address, and a bounded number for all."""
    failures = counter(build)
    for number in range(10_000):
        failures.add(FAILED, None, "192.0.2.7" if same_address else f"10.1.{number // 256}.{number % 256}")
        if number % 2_500 == 0:
            await failures.flush()
    await failures.flush()
    found = await counted(build)
    assert sum(found.values()) == 10_000
    assert len(found) == (1 if same_address else MAX_FAILURES[False, True] + 1)


async def test_several_processes_share_the_limits(build: Builders):
    """At the same time, with many accounts and addresses: each failure is counted once, and entries are bounded."""
    users = [await build.a_user() for _ in range(30)]
    processes = [counter(build) for _ in range(4)]
    for place, failures in enumerate(processes):
        for number in range(1_000):
            failures.add(FAILED, users[number % 30], f"10.{place}.{number // 256}.{number % 256}")
    await asyncio.gather(*(failures.flush() for failures in processes))
    found = await counted(build)
    assert sum(found.values()) == 4_000
    assert len(found) == MAX_FAILURES[True, True] + 30
    assert len(found) <= MOST


async def test_two_processes_count_the_same_failure(build: Builders):
    """One entry with the sum."""
    ada, processes = await build.a_user(username="ada"), [counter(build) for _ in range(2)]
    for failures in processes * 3:
        failures.add(FAILED, ada, "192.0.2.7")
    await asyncio.gather(*(failures.flush() for failures in processes))
    assert await counted(build) == {("ada", "192.0.2.7"): 6}


async def test_failures_are_kept_while_the_database_is_away(build: Builders):
    """They are counted when it is back; nothing is counted twice."""
    is_away = True

    def new() -> UnitOfWork:
        if is_away:
            raise Unavailable("away")
        return build.as_(None)

    failures = FailedSignIns(new)
    failures.add(FAILED, None, "192.0.2.7")
    with pytest.raises(Unavailable):
        await failures.flush()
    failures.add(FAILED, None, "192.0.2.7")
    is_away = False
    await failures.flush()
    await failures.flush()
    assert await counted(build) == {(None, "192.0.2.7"): 2}
