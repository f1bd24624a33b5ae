"""`rediss+sentinel://`: TLS to the Sentinels and to the master, with certificates of an own authority."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from domain.user import Role
from streaming.redis_acl import CHANNEL
from tests.streaming.conftest import StartProcess
from tests.streaming.support import a_task_event, an_actor, receive_event
from tests.streaming.test_sentinel_failover import eventually, listeners, received, writes
from tests.support.certificates import Authority
from tests.support.sentinel_cluster import ClusterTLS, SentinelCluster, sentinel_cluster
from tests.support.storing_valkey import server_tls

ADMIN = an_actor(Role.ADMIN)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[SentinelCluster]:
    """A cluster in which a failover is possible. Its servers accept only TLS, from clients with a certificate."""
    authority = Authority(tmp_path / "authority")
    tls = ClusterTLS(server_tls(authority, authority.issue("server")), authority.issue("client"))
    async with AsyncExitStack() as stack:
        manager = sentinel_cluster(tmp_path, tls=tls)
        cluster = await asyncio.to_thread(manager.__enter__)
        stack.push_async_callback(asyncio.to_thread, manager.__exit__, None, None, None)
        await eventually(cluster.is_complete)
        yield cluster


async def test_the_next_master_is_followed(start: StartProcess, cluster: SentinelCluster):
    """After the master was killed, notifications arrive through the next one, and each event once."""
    first, second = cluster.members
    one, other = [await start(redis=cluster.url, channel=CHANNEL) for _ in range(2)]
    await eventually(lambda: listeners(first) == 2)
    async with other.stream.subscribe(ADMIN, None, None) as listener, writes(one, listener):
        await asyncio.to_thread(first.kill)
        await eventually(lambda: cluster.master_port() == second.port)
        await eventually(lambda: listeners(second) == 2)

        await asyncio.to_thread(first.start)
        await eventually(lambda: first.admin.role()[0] == "slave")
    await received(other)

    assert (listeners(first), listeners(second)) == (0, 2)
    assert one.stream.healthy
    assert not one.stream.is_refused


@pytest.mark.parametrize(
    ("given", "reason"), [("another authority", "verify failed"), ("no certificate", "no Redis notifications")]
)
async def test_without_trust_there_is_no_notification(
    start: StartProcess,
    cluster: SentinelCluster,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    given: str,
    reason: str,
):
    """Neither side accepts the other one without a certificate of its authority. Events arrive by polling."""
    assert cluster.tls is not None
    other = Authority(tmp_path / "other")
    changed = {"another authority": {"ssl_ca_certs": str(other.file)}, "no certificate": {}}[given]
    kept = cluster.tls.parameters if changed else {"ssl_ca_certs": cluster.tls.parameters["ssl_ca_certs"]}
    process = await start(redis=cluster.url_with(kept | changed), channel=CHANNEL)
    await eventually(lambda: "no Sentinel names the master of tasks" in caplog.text)
    async with process.stream.subscribe(ADMIN, None, None) as listener:
        await process.record(event := a_task_event())
        assert await receive_event(listener) == event

    assert not process.stream.healthy
    assert process.stream.counters.notifications == 0
    assert reason in caplog.text
    assert "a/pass@word" not in caplog.text
