"""The client of a request: identity, address as seen through trusted proxies, user agent, disconnect."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import islice
from typing import Final

from starlette.types import Scope

from domain.actor import Actor
from domain.session import MAX_USER_AGENT
from domain.text import without_control_characters

Disconnected = Callable[[], Awaitable[object]]
"""Returns when the client has disconnected."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNKNOWN: Final = "unknown"
"""The address of a client that has none."""

MAX_HOPS: Final = 32
"""Elements of a forwarding header that are read, from the right. More proxies than that are a configuration error."""

_MAX_FIELD: Final = 2_048
"""Characters of a forwarding header that are read, from the right, in all its fields together."""
_MAX_ADDRESS: Final = 100
"""Characters: 39 for an address, and brackets, a zone and a port."""
_IPV6_SITE_BITS: Final = 64
_BRACKETED: Final = re.compile(r"\[(?P<host>[^]]*)](?::[0-9]{1,5})?")
_WITH_PORT: Final = re.compile(r"(?P<host>[0-9.]+):[0-9]{1,5}")
_SECURE_SCHEMES: Final = frozenset({"https", "wss"})


@dataclass(frozen=True, slots=True)
class Identity:
    """An actor, and the time at which its token expires."""

    actor: Actor
    expires_at: datetime


def actor_of(identity: Identity | None) -> Actor | None:
    """The actor of a request; None without an accepted token."""
    return identity.actor if identity is not None else None


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a connection: its address (never that of a trusted proxy) and its user agent.

    `disconnected` is None where a disconnect cannot be noticed while an operation runs.
    """

    address: str
    user_agent: str | None
    disconnected: Disconnected | None = field(default=None, compare=False)


def client_of(scope: Scope, trusted: Sequence[Network]) -> Client:
    """The client of an ASGI connection, `http` or `websocket`."""
    return Client(
        address=client_address(_peer(scope), _headers(scope, b"x-forwarded-for"), trusted),
        user_agent=_user_agent(next(_headers(scope, b"user-agent"), None)),
    )


def is_secure(scope: Scope, trusted: Sequence[Network]) -> bool:
    """Whether the client uses TLS: with this server or, according to `X-Forwarded-Proto`, with a trusted proxy.

    Of several values the last one counts, which the nearest proxy wrote.
    """
    if _is_trusted(_parse(_peer(scope) or ""), trusted):
        value = next(_elements_from_right([*_headers(scope, b"x-forwarded-proto")]), scope["scheme"])
        return value.lower() in _SECURE_SCHEMES
    return scope["scheme"] in _SECURE_SCHEMES


def client_address(peer: str | None, forwarded_for: Iterable[str], trusted: Sequence[Network]) -> str:
    """The client's address in canonical text, at most 39 characters, or `"unknown"`.

    *peer* is the other end of the socket. *forwarded_for* are the values of `X-Forwarded-For`, to which each proxy
    appends the address of its peer. So the header is read from the right, as long as the proxy that appended is
    *trusted*. Anyone may have written the rest. A hop that is not an address ends the reading at the last valid one. If
    the peer is not trusted, the header is ignored; otherwise at most `MAX_HOPS` hops are read.

    A peer on a Unix socket has no address, so it cannot be trusted, and the client is unknown whatever the header says.
    Let the proxy use a loopback address instead.
    """
    address = _parse(peer or "")
    if _is_trusted(address, trusted):
        for hop in islice(_elements_from_right([*forwarded_for]), MAX_HOPS):
            parsed = _parse(hop)
            if parsed is None:
                break
            address = parsed
            if not _is_trusted(address, trusted):
                break
    return UNKNOWN if address is None else str(address)


def throttle_key(address: str) -> str:
    """The key for limits per address: the address, or the /64 network of an IPv6 address.

    A subscriber gets at least a /64 (RFC 6177), which has 2 ** 64 addresses to alternate between.
    """
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_SITE_BITS), strict=False))
    return UNKNOWN if parsed is None else str(parsed)


def _parse(text: str) -> Address | None:
    """An address with or without brackets and port; None for anything else."""
    return _parse_short(text) if len(text) <= _MAX_ADDRESS else None


@lru_cache(maxsize=1_024)
def _parse_short(text: str) -> Address | None:
    match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        return _normalized(ip_address(match["host"] if match else text))
    except ValueError:
        return None


def _normalized(address: Address) -> Address:
    """One form per address: IPv4 as IPv4, and without a zone (`%eth0`), which is meaningful on its own host only."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def _is_trusted(address: Address | None, trusted: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in trusted)


def _elements_from_right(values: Sequence[str]) -> Iterator[str]:
    """The elements of a header's comma-separated lists, the last one first, without empty ones (RFC 9110, 5.6.1).

    Of values that are too long together, only the right end is read.
    """
    remaining = _MAX_FIELD
    for value in reversed(values):
        end = value if len(value) <= remaining else value[-remaining:].partition(",")[2]
        yield from filter(None, (element.strip() for element in reversed(end.split(","))))
        remaining -= len(value) + 1
        if remaining <= 0:
            return


def _peer(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None


def _headers(scope: Scope, name: bytes) -> Iterator[str]:
    return (value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


def _user_agent(value: str | None) -> str | None:
    return without_control_characters(value[:MAX_USER_AGENT]).strip() or None if value is not None else None
