"""Creates all clients of Redis: for one server, or for the master that Sentinels name."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Connection, Redis, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from streaming.redis_tls import tls_context
from streaming.redis_url import Address, RedisTarget, TLSOptions, read_redis_url
from streaming.sentinel import Sentinels

_RESP2: Final = 2

FindAddress = Callable[[], Awaitable[Address]]


class ServerConnection(Connection):
    """A TCP connection, with TLS if *tls* is given. *find_address* gives the address of each new connection."""

    def __init__(
        self, *, tls: TLSOptions | None = None, find_address: FindAddress | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self._tls = tls
        self._find_address = find_address

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {"host": self.host, "port": self.port, "ssl": self._ssl_context()}

    def _ssl_context(self) -> ssl.SSLContext | None:
        return tls_context(self._tls) if self._tls is not None else None

    async def _connect(self) -> None:
        if self._find_address is not None:
            self.host, self.port = await self._find_address()
        await super()._connect()  # type: ignore[no-untyped-call]  # redis-py


class ServerPool(BlockingConnectionPool):
    """Connections to one server, or to the master that *sentinels* name; it closes its Sentinels' connections, too."""

    def __init__(self, *, sentinels: Sentinels | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.sentinels = sentinels

    async def aclose(self) -> None:
        """Close all connections."""
        await super().aclose()
        if self.sentinels is not None:
            await self.sentinels.aclose()


def create_client(url: str, *, seconds: float, max_connections: int) -> Redis:
    """A client whose requests time out after *seconds* and are not retried. Callers retry themselves.

    If all connections are in use, a request waits for a free one: a burst of requests is not a failure of Redis.

    Raises:
        WrongRedisURL: the URL is invalid, or a file that it names cannot be read.
    """
    target = read_redis_url(url)
    if target.tls is not None:
        tls_context(target.tls)
    sentinels = _sentinels(target, seconds) if target.service is not None else None
    return Redis.from_pool(
        ServerPool(
            sentinels=sentinels,
            max_connections=max_connections,
            **_place(target, sentinels),
            **_common(target, seconds),
            db=target.database,
            username=target.username,
            password=target.password,
        )
    )


def _place(target: RedisTarget, sentinels: Sentinels | None) -> dict[str, Any]:
    """Where the connections lead."""
    if target.socket_path is not None:
        return {"connection_class": UnixDomainSocketConnection, "path": target.socket_path}
    if sentinels is not None:
        return {"connection_class": ServerConnection, "tls": target.tls, "find_address": sentinels.master}
    [(host, port)] = target.addresses
    return {"connection_class": ServerConnection, "tls": target.tls, "host": host, "port": port}


def _common(target: RedisTarget, seconds: float) -> dict[str, Any]:
    """What applies to Redis and to Sentinels."""
    return {
        "timeout": seconds,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        "protocol": _RESP2,
        "driver_info": None,  # CLIENT SETINFO came with Redis 7.2: the permissions for 7.0 cannot name it
        **target.options,
    }


def _sentinels(target: RedisTarget, seconds: float) -> Sentinels:
    assert target.service is not None
    clients = [
        Redis.from_pool(
            ServerPool(
                connection_class=ServerConnection,
                max_connections=1,
                host=host,
                port=port,
                tls=target.tls,
                username=target.sentinel_username,
                password=target.sentinel_password,
                **_common(target, seconds),
            )
        )
        for host, port in target.addresses
    ]
    return Sentinels(clients, target.service)
