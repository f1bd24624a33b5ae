"""Processes share the writes of a user or a token, and never make more than the limit together."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from domain.access_token import Scope
from domain.actor import OPERATOR, Actor
from domain.errors import RateLimited
from domain.user import Role
from graphql_api.auth import write_limits as module
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from graphql_api.auth.write_limits import WriteLimits
from tests.support.waiting import HANG_SECONDS


def a_session() -> Actor:
    return Actor(uuid4(), Role.USER, uuid4(), 0)


def a_token(user: Actor) -> Actor:
    return Actor(user.user_id, Role.USER, None, 0, token_id=uuid4(), scopes=frozenset({Scope.TASKS_WRITE}))


def a_process(redis: Redis, *, user: int | None = None, token: int | None = None) -> WriteLimits:
    """The limits as one process counts them."""
    return WriteLimits(
        RateLimiter(redis, timeout=HANG_SECONDS, pause=0),
        per_user=RateLimit("writes-user", user, 60) if user else None,
        per_token=RateLimit("writes-token", token, 60) if token else None,
    )


def without_redis(most: int) -> WriteLimits:
    limiter = RateLimiter(Redis(port=1), timeout=0.01, pause=3600)
    return WriteLimits(limiter, per_user=RateLimit("writes-user", most, 60), per_token=None)


async def made(processes: Sequence[WriteLimits], actor: Actor, tries: int, cost: int = 1) -> int:
    """How many of several simultaneous writes are allowed, in turns by each process."""
    takes = (processes[number % len(processes)].take(actor, cost) for number in range(tries))
    results = await asyncio.gather(*takes, return_exceptions=True)
    assert all(result is None or isinstance(result, RateLimited) for result in results), results
    return results.count(None)


@pytest.mark.parametrize("most", [1, 5, 250])
async def test_processes_never_make_more_than_the_limit(redis: Redis, most: int):
    processes = [a_process(redis, user=most) for _ in range(3)]
    actor = a_session()
    assert await made(processes, actor, most + 30) == most
    assert await made(processes, a_session(), 1) == 1


async def test_what_a_process_holds_is_at_most_a_block(redis: Redis):
    """A process that has written once leaves all but a hundredth to the others."""
    first, second = a_process(redis, user=1_000), a_process(redis, user=1_000)
    actor = a_session()
    await first.take(actor, 1)
    assert await made([second], actor, 1_000) == 990
    assert await made([first], actor, 20) == 9


async def test_all_tokens_count_for_the_user_and_each_for_itself(redis: Redis):
    process, user = a_process(redis, user=5, token=3), a_session()
    first, second = a_token(user), a_token(user)
    assert await made([process], first, 9) == 3
    assert await made([process], second, 9) == 2
    with pytest.raises(RateLimited, match="This user may make 5 changes a minute"):
        await process.take(user, 1)
    with pytest.raises(RateLimited) as refused:
        await process.take(first, 1)
    assert 1 <= refused.value.retry_after <= 60


async def test_a_refused_write_counts_for_neither_limit(redis: Redis):
    process, user = a_process(redis, user=10, token=1), a_session()
    assert await made([process], a_token(user), 50) == 1
    assert await made([process], user, 50) == 9


async def test_a_write_of_many_is_made_as_a_whole_or_not_at_all(redis: Redis):
    processes, actor = [a_process(redis, user=10), a_process(redis, user=10)], a_session()
    assert await made(processes, actor, 4, cost=4) == 2
    assert await made(processes, actor, 4, cost=1) == 2


async def test_a_write_that_costs_more_than_the_limit_takes_all_of_it(redis: Redis):
    process, actor = a_process(redis, user=10), a_session()
    assert await made([process], actor, 3, cost=100) == 1
    assert await made([process], actor, 3) == 0


async def test_a_write_is_given_back(redis: Redis):
    process, actor = a_process(redis, user=2), a_session()
    for _ in range(5):
        await process.take(actor, 2)
        process.give_back(actor, 2)
    [budget] = process.budgets(actor)
    assert budget.remaining == 2


async def test_without_redis_a_process_counts_by_itself():
    process, actor = without_redis(250), a_session()
    assert await made([process], actor, 300) == 250
    [budget] = process.budgets(actor)
    assert budget.remaining == 0


async def test_a_process_keeps_its_count_when_redis_comes_and_goes(redis: Redis, monkeypatch: pytest.MonkeyPatch):
    process, actor = a_process(redis, user=300), a_session()
    assert await made([process], actor, 200) == 200

    async def away(*_: object) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr(process._users._limiter.redis, "run", away)  # type: ignore[union-attr]
        assert await made([process], actor, 50) == 50
    assert await made([process], actor, 300) == 50


async def test_the_next_window_has_all_writes_again(redis: Redis, monkeypatch: pytest.MonkeyPatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    process, actor = without_redis(3), a_session()
    assert await made([process], actor, 5) == 3
    clock.now += 59
    assert await made([process], actor, 5) == 0
    clock.now += 2
    assert await made([process], actor, 5) == 3


async def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MAX_SHARES", 3)
    process = without_redis(3)
    for _ in range(10):
        await process.take(a_session(), 1)
    assert len(process._users._by_id) == 3  # type: ignore[union-attr]


async def test_the_operator_is_not_limited(redis: Redis):
    process = a_process(redis, user=1, token=1)
    assert await made([process], OPERATOR, 50) == 50
    assert process.budgets(OPERATOR) == []


async def test_headers_name_each_limit(redis: Redis):
    process, actor = a_process(redis, user=200, token=50), a_token(a_session())
    await process.take(actor, 3)
    policy, remaining = process.headers(process.budgets(actor))
    assert policy == (b"ratelimit-policy", b'"user";q=200;w=60, "token";q=50;w=60')
    assert remaining == (b"ratelimit", b'"user";r=197;t=60, "token";r=47;t=60')
