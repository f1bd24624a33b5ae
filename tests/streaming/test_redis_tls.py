"""Redis with TLS: an own authority, client certificates, and errors that say what is wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from domain.user import Role
from embedded.valkey import Valkey
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from streaming.redis_client import create_client
from streaming.redis_tls import tls_context
from streaming.redis_url import TLSOptions, WrongRedisURL
from tests.streaming.conftest import StartProcess
from tests.streaming.support import a_task_event, an_actor, receive_event, until
from tests.support.certificates import Authority, Certificate
from tests.support.storing_valkey import TLSValkey, server_tls
from tests.support.tls_proxy import tls_proxy
from tests.support.waiting import HANG_SECONDS

ADMIN = an_actor(Role.ADMIN)
Running = Callable[[Path, Authority, Certificate], AbstractContextManager[tuple[Valkey, int]]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of server and clients."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that issued nothing."""
    return Authority(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Certificate:
    """The certificate of the server."""
    return authority.issue("server")


@pytest.fixture(scope="module")
def client(authority: Authority) -> Certificate:
    """The certificate of a client."""
    return authority.issue("client")


def of_client(certificate: Certificate) -> dict[str, str]:
    """The parameters for a client certificate."""
    return {"ssl_certfile": str(certificate.file), "ssl_keyfile": str(certificate.key)}


def url_of(valkey: Valkey, port: int, **parameters: str) -> str:
    """The URL of the server with TLS at this port."""
    return f"rediss://:{quote(valkey.password)}@127.0.0.1:{port}/0?{urlencode(parameters)}"


@contextmanager
def behind_proxy(folder: Path, authority: Authority, certificate: Certificate) -> Iterator[tuple[Valkey, int]]:
    """A Valkey, and the port of a TLS server in front of it."""
    with Valkey(folder) as valkey, tls_proxy(valkey.port, certificate, clients_of=authority) as port:
        yield valkey, port


@contextmanager
def with_own_tls(folder: Path, authority: Authority, certificate: Certificate) -> Iterator[tuple[Valkey, int]]:
    """A server with TLS of its own, and its port."""
    with TLSValkey(folder, server_tls(authority, certificate)) as valkey:
        yield valkey, valkey.port


class TestConnection:
    @pytest.mark.parametrize("running", [behind_proxy, with_own_tls])
    async def test_events_and_limits_use_it(
        self,
        start: StartProcess,
        tmp_path: Path,
        authority: Authority,
        server: Certificate,
        client: Certificate,
        running: Running,
    ):
        """With an own authority and a client certificate; without the latter the server refuses."""
        with running(tmp_path / "valkey", authority, server) as (valkey, port):
            ca = {"ssl_ca_certs": str(authority.file)}
            url = url_of(valkey, port, **ca, **of_client(client))
            process = await start(redis=url)
            await until(lambda: process.stream.healthy)
            async with process.stream.subscribe(ADMIN, None, None) as listener:
                await process.record(event := a_task_event())
                assert await receive_event(listener) == event
                await until(lambda: process.stream.counters.notifications)
            async with create_client(url, seconds=HANG_SECONDS, max_connections=2) as redis:
                limiter = RateLimiter(redis, timeout=HANG_SECONDS)
                await limiter.take(RateLimit("test", 2, 60), "key", message="")
                assert [key async for key in redis.scan_iter("throttle:test*")]
            assert not await answers(url_of(valkey, port, **ca))
            await process.stream.stop()

    async def test_a_certificate_of_another_authority_is_refused(
        self,
        start: StartProcess,
        disposable_valkey: Valkey,
        other_authority: Authority,
        server: Certificate,
        caplog: pytest.LogCaptureFixture,
    ):
        """The log says so once."""
        with tls_proxy(disposable_valkey.port, server) as port:
            process = await start(redis=url_of(disposable_valkey, port, ssl_ca_certs=str(other_authority.file)))
            await until(lambda: "no Redis notifications" in caplog.text)
            await process.stream.stop()
        assert caplog.text.count("certificate verify failed") == 1
        assert disposable_valkey.password not in caplog.text

    @pytest.mark.parametrize(
        ("parameters", "works"),
        [({}, False), ({"ssl_check_hostname": "false"}, True), ({"ssl_cert_reqs": "none"}, True)],
    )
    async def test_the_name_in_the_certificate_is_checked(
        self, disposable_valkey: Valkey, authority: Authority, parameters: dict[str, str], works: bool
    ):
        """Unless the URL says otherwise."""
        other = authority.issue("other-name", alternative_name="DNS:redis.example.org")
        with tls_proxy(disposable_valkey.port, other) as port:
            url = url_of(disposable_valkey, port, ssl_ca_certs=str(authority.file), **parameters)
            assert await answers(url) is works

    async def test_a_client_certificate_is_presented(
        self,
        disposable_valkey: Valkey,
        authority: Authority,
        other_authority: Authority,
        server: Certificate,
        client: Certificate,
    ):
        """Without it, or with one of another authority, the server refuses."""
        wrong = other_authority.issue("client")
        with tls_proxy(disposable_valkey.port, server, clients_of=authority) as port:
            found = [
                await answers(url_of(disposable_valkey, port, ssl_ca_certs=str(authority.file), **parameters))
                for parameters in ({}, of_client(wrong), of_client(client))
            ]
        assert found == [False, False, True]


async def answers(url: str) -> bool:
    """Whether a request succeeds."""
    async with create_client(url, seconds=HANG_SECONDS, max_connections=1) as redis:
        try:
            return bool(await redis.ping())
        except RedisConnectionError:
            return False


class TestFiles:
    def test_renewed_certificates_are_read(self, authority: Authority, client: Certificate, tmp_path: Path):
        """Without a restart; until then connections share a context."""
        copy = Certificate(tmp_path / "client.pem", tmp_path / "client.key")
        shutil.copy(client.file, copy.file)
        shutil.copy(client.key, copy.key)
        options = TLSOptions(str(authority.file), str(copy.file), str(copy.key))
        first = tls_context(options)
        assert tls_context(options) is first
        os.utime(copy.file, ns=(1, 1))
        assert tls_context(options) is not first

    def test_only_the_own_authority_is_trusted(self, authority: Authority):
        """Not those of the system, too."""
        [trusted] = tls_context(TLSOptions(str(authority.file))).get_ca_certs()
        assert trusted["subject"] == ((("commonName", "An authority"),),)

    @pytest.mark.parametrize(
        ("content", "name", "message"),
        [
            (None, "ssl_ca_certs", "The file of ssl_ca_certs cannot be read: No such file or directory"),
            ("no certificate", "ssl_ca_certs", "must contain certificates in PEM format"),
            (None, "ssl_certfile", "The file of ssl_certfile cannot be read"),
            ("no certificate", "ssl_certfile", "must contain a certificate and its key"),
        ],
    )
    def test_unusable_files_are_refused(self, tmp_path: Path, content: str | None, name: str, message: str):
        """The message names the parameter."""
        file = tmp_path / "file.pem"
        if content is not None:
            file.write_text(content)
        with pytest.raises(WrongRedisURL, match=message):
            create_client(f"rediss://h?{name}={file}", seconds=1, max_connections=1)

    def test_a_key_with_a_passphrase_is_refused(self, authority: Authority, client: Certificate, tmp_path: Path):
        """Instead of a question on the terminal."""
        encrypted = authority.encrypt(client, tmp_path / "encrypted.key")
        with pytest.raises(WrongRedisURL, match="without a passphrase"):
            tls_context(TLSOptions(None, str(client.file), str(encrypted)))
