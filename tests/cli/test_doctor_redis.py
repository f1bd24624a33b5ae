"""`taskriver doctor`: what it says about Redis, its Sentinels, permissions and memory."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from embedded.valkey import Valkey
from streaming.redis_acl import RULES, setuser_command
from tests.support.certificates import Authority
from tests.support.sentinel_cluster import ClusterTLS, SentinelCluster, sentinel_cluster
from tests.support.storing_valkey import server_tls
from tests.support.tls_proxy import tls_proxy
from tests.support.waiting import HANG_SECONDS

OK = ("ok", "look")


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey that the tests of this module change and restore."""
    with Valkey(tmp_path_factory.mktemp("valkey") / "data") as server:
        yield server


@pytest.fixture
def admin(valkey: Valkey) -> Iterator[Redis]:
    """A client with all permissions."""
    with Redis.from_url(valkey.url) as redis:
        yield redis


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelCluster]:
    """A complete cluster with three Sentinels."""
    with sentinel_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        wait(cluster.is_complete)
        yield cluster


def wait(condition: Callable[[], object]) -> None:
    """Wait for a condition."""

    async def wait() -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while not condition():
                await asyncio.sleep(0.05)

    asyncio.run(wait())


class TestServer:
    def test_a_replica_is_reported(self, look: Any, valkey: Valkey, admin: Redis):
        """It cannot be used."""
        admin.replicaof("127.0.0.1", 1)
        try:
            code, found = look(REDIS_URL=valkey.url)
        finally:
            admin.replicaof("NO", "ONE")

        assert (code, found["redis"][0]) == (1, "bad")
        assert "a replica" in found["redis"][1]
        assert "REDIS_URL must lead to the master, or name Sentinels." in found["redis"][1]
        assert "redis memory" not in found

    def test_a_full_redis_is_reported(self, look: Any, valkey: Valkey, admin: Redis):
        """It refuses writes, so it is not used."""
        with configured(admin, maxmemory=1, maxmemory_policy="noeviction"):
            code, found = look(REDIS_URL=valkey.url)

        assert (code, found["redis"][0]) == (1, "bad")
        assert "a master, refuses writes: command not allowed when used memory" in found["redis"][1]
        assert "Its memory is full: raise maxmemory" in found["redis"][1]

    @pytest.mark.parametrize(
        ("policy", "share", "state", "advice"),
        [
            ("noeviction", 0.5, "ok", ""),
            ("volatile-ttl", 0.5, "ok", ""),
            ("noeviction", 0.95, "look", "Raise maxmemory: when it is full, Redis refuses writes and is not used."),
            ("volatile-ttl", 0.95, "look", "Raise maxmemory: when it is full, counts of rate limits are removed"),
            ("allkeys-lru", 0.5, "look", "Set maxmemory-policy to noeviction or volatile-ttl"),
        ],
    )
    def test_the_memory_is_checked(
        self, look: Any, valkey: Valkey, admin: Redis, policy: str, share: float, state: str, advice: str
    ):
        """The limit, and what happens when it is reached."""
        admin.setrange("ballast", 20_000_000, "x")  # so that buffers of clients make no difference
        used = admin.info("memory")["used_memory"]
        try:
            with configured(admin, maxmemory=int(used / share), maxmemory_policy=policy):
                memory = look(REDIS_URL=valkey.url)[1]["redis memory"]
        finally:
            admin.delete("ballast")

        assert memory[0] == state
        assert f"{policy} " in memory[1]
        assert memory[1].partition(f"{policy} ")[2].startswith(advice)

    def test_memory_without_a_limit_is_ok(self, look: Any, valkey: Valkey, admin: Redis):
        """It says so."""
        with configured(admin, maxmemory=0):
            state, text = look(REDIS_URL=valkey.url)[1]["redis memory"]

        assert state == "ok"
        assert text.endswith(" MB used, without a limit ")


class TestPermissions:
    def test_the_documented_ones_are_enough(self, look: Any, valkey: Valkey, admin: Redis):
        """Only the memory cannot be read with them."""
        allow(admin, "few", RULES)
        code, found = look(REDIS_URL=of_user(valkey, "few"))

        assert found["redis"][0] in OK
        assert found["redis permissions"] == ("ok", "the user few has all that are needed ")
        assert found["redis memory"] == ("ok", "not checked: the user may not run INFO ")
        assert code in (0, 3)

    @pytest.mark.parametrize(
        ("rules", "missing"),
        [
            ("+@all -publish ~* &*", "publish on taskriver:events"),
            ("+@all ~* &other", "publish on taskriver:events, subscribe on taskriver:events"),
            ("+@all -zadd -time ~* &*", "time, zadd"),
            ("+@all -evalsha ~* &*", "evalsha or script|load on throttle:*"),
            ("+@all ~other &*", "set on throttle:*, evalsha or script|load on throttle:*"),
        ],
    )
    def test_missing_ones_are_named(self, look: Any, valkey: Valkey, admin: Redis, rules: str, missing: str):
        """With the command that gives them."""
        allow(admin, "some", rules)
        code, found = look(REDIS_URL=of_user(valkey, "some"))

        assert (code, found["redis permissions"][0]) == (1, "bad")
        assert f"the user some may not use {missing}" in found["redis permissions"][1]
        assert f"Run in Redis: {setuser_command('some')}" in found["redis permissions"][1]


class TestTLS:
    def test_a_certificate_of_another_authority_is_reported(self, look: Any, valkey: Valkey, tmp_path: Path):
        """With the reason."""
        authority, other = Authority(tmp_path / "authority"), Authority(tmp_path / "other")
        with tls_proxy(valkey.port, authority.issue("server")) as port:
            good, bad = [
                look(REDIS_URL=f"rediss://:{valkey.password}@127.0.0.1:{port}/0?ssl_ca_certs={each.file}")
                for each in (authority, other)
            ]

        assert "with TLS, a master" in good[1]["redis"][1]
        assert (bad[0], bad[1]["redis"][0]) == (1, "bad")
        assert "its certificate is refused: unable to get local issuer certificate" in bad[1]["redis"][1]
        assert "Set ssl_ca_certs in REDIS_URL" in bad[1]["redis"][1]

    def test_a_missing_client_certificate_is_reported(self, look: Any, valkey: Valkey, tmp_path: Path):
        """The server requires one."""
        authority = Authority(tmp_path / "authority")
        with tls_proxy(valkey.port, authority.issue("server"), clients_of=authority) as port:
            url = f"rediss://:{valkey.password}@127.0.0.1:{port}/0?ssl_ca_certs={authority.file}"
            _, found = look(REDIS_URL=url)

        assert found["redis"][0] == "bad"
        assert "closes the connection If it requires a client certificate, set ssl_certfile" in found["redis"][1]

    def test_a_server_without_tls_is_reported(self, look: Any, valkey: Valkey):
        """Another message than that for a server that is down."""
        _, found = look(REDIS_URL=valkey.url.replace("redis://", "rediss://"))

        assert found["redis"][0] == "bad"
        assert "does not answer with TLS at REDIS_URL" in found["redis"][1]
        assert "Without TLS it is redis://." in found["redis"][1]


class TestSentinels:
    def test_a_complete_cluster_is_ok(self, look: Any, cluster: SentinelCluster):
        """The master is named."""
        _, found = look(REDIS_URL=cluster.url)

        assert found["redis"][0] in OK
        assert f"the master of tasks at 127.0.0.1:{cluster.members[0].port}" in found["redis"][1]
        assert found["redis sentinels"] == ("ok", "3 of 3 in REDIS_URL answer, 3 known, 1 replica ")
        assert found["redis permissions"][0] == "ok"

    def test_a_complete_cluster_with_tls_is_ok(self, look: Any, tmp_path: Path):
        """With TLS to the Sentinels and to the master. Without the certificate of the client it is not."""
        authority = Authority(tmp_path / "authority")
        tls = ClusterTLS(server_tls(authority, authority.issue("server")), authority.issue("client"))
        with sentinel_cluster(tmp_path, tls=tls) as cluster:
            wait(cluster.is_complete)
            _, good = look(REDIS_URL=cluster.url)
            code, bad = look(REDIS_URL=cluster.url_with({"ssl_ca_certs": str(authority.file)}))

        assert good["redis"][0] in OK
        assert "with TLS, the master of tasks at 127.0.0.1:" in good["redis"][1]
        assert good["redis sentinels"] == ("ok", "3 of 3 in REDIS_URL answer, 3 known, 1 replica ")
        assert good["redis permissions"][0] == "ok"
        assert (code, bad["redis"][0]) == (1, "bad")

    def test_one_that_is_not_in_the_url_is_reported(self, look: Any, cluster: SentinelCluster):
        """If the named ones fail, the others are not asked."""
        few = cluster.addresses.rpartition(",")[0]
        _, found = look(REDIS_URL=cluster.url.replace(cluster.addresses, few))

        assert found["redis sentinels"][0] == "look"
        assert "Name all 3 Sentinels in REDIS_URL: it names 2." in found["redis sentinels"][1]

    def test_one_that_is_down_is_named(self, look: Any, cluster: SentinelCluster):
        """The others are enough."""
        down = cluster.sentinels[0]
        down.kill()
        try:
            code, found = look(REDIS_URL=cluster.url)
        finally:
            down.start()

        assert (code, found["redis"][0] in OK, found["redis sentinels"][0]) == (3, True, "look")
        assert f"Start the Sentinel at 127.0.0.1:{down.port}, or correct REDIS_URL." in found["redis sentinels"][1]

    @pytest.mark.parametrize(
        ("right", "wrong", "detail"),
        [
            ("/tasks?", "/other?", "the Sentinels name no master of other"),
            ("sentinel_password=a", "sentinel_password=hunter2", "the Sentinels name no master of tasks"),
            ("taskriver:a", "taskriver:hunter2", "rejects the user or the password of REDIS_URL"),
        ],
    )
    def test_wrong_names_and_passwords_are_reported(
        self, look: Any, cluster: SentinelCluster, right: str, wrong: str, detail: str
    ):
        """Those of the Sentinels, and those of the servers."""
        code, found = look(REDIS_URL=cluster.url.replace(right, wrong))

        assert (code, found["redis"][0]) == (1, "bad")
        assert detail in found["redis"][1]

    def test_missing_permissions_in_the_sentinels_are_reported(self, look: Any, cluster: SentinelCluster):
        """With the command that gives them."""
        for sentinel in cluster.sentinels:
            allow(sentinel.admin, "some", "-@all +ping")
        url = cluster.url.replace("sentinel_username=taskriver", "sentinel_username=some")
        _, found = look(REDIS_URL=url.partition("&sentinel_password")[0] + "&sentinel_password=hunter2")

        assert found["redis"][0] == "bad"
        assert "Run in each Sentinel: ACL SETUSER NAME on >PASSWORD" in found["redis"][1]
        assert "+sentinel|master" in found["redis"][1]

    def test_the_address_of_a_sentinel_is_no_redis(self, look: Any, cluster: SentinelCluster):
        """The advice is the other form of the URL."""
        _, found = look(REDIS_URL=cluster.sentinels[0].url)

        assert found["redis"][0] == "bad"
        assert "Use redis+sentinel://host:26379/service" in found["redis"][1]

    def test_too_few_are_reported(self, look: Any, tmp_path: Path):
        """The line stays when the master is down, and is missing when no Sentinel answers."""
        with ExitStack() as stack:
            cluster = stack.enter_context(sentinel_cluster(tmp_path, sentinels=1))
            wait(cluster.is_complete)
            _, few = look(REDIS_URL=cluster.url)
            cluster.members[0].kill()
            _, down = look(REDIS_URL=cluster.url)
            cluster.sentinels[0].kill()
            _, none = look(REDIS_URL=cluster.url)

        assert few["redis sentinels"][0] == "look"
        assert "Run 3 Sentinels" in few["redis sentinels"][1]
        assert "does not answer" in down["redis"][1]
        assert f"the master of tasks at 127.0.0.1:{cluster.members[0].port}" in down["redis"][1]
        assert down["redis sentinels"][0] == "look"
        assert "no Sentinel answers at REDIS_URL" in none["redis"][1]
        assert "redis sentinels" not in none


def allow(admin: Any, user: str, rules: str) -> None:
    """Have a user with these permissions only."""
    admin.execute_command("ACL", "SETUSER", user, "reset", "on", ">hunter2", *rules.split())


@contextmanager
def configured(admin: Redis, **settings: str | int) -> Iterator[None]:
    """Have these settings of Redis, and restore them."""
    names = {name: name.replace("_", "-") for name in settings}
    before = {name: str(admin.config_get(name)[name]) for name in names.values()}
    for name, value in settings.items():
        admin.config_set(names[name], value)
    try:
        yield
    finally:
        for name, text in before.items():
            admin.config_set(name, text)


def of_user(valkey: Valkey, name: str) -> str:
    """The URL for a user with the password of these tests."""
    return valkey.url.replace(f":{valkey.password}@", f"{name}:hunter2@")
