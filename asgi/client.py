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
"""Stands for the address of a client that has none."""

MAX_HOPS: Final = 32
"""Elements of a forwarding header that are looked at, from the right; more proxies than that are a mistake."""

_MAX_FIELD: Final = 2_048
"""Characters of a forwarding header, in all its fields, that are looked at, from the right."""
_MAX_ADDRESS: Final = 100
"""Characters: 39 of an address, and brackets, a zone and a port."""
_SITE_BITS: Final = 64
_BRACKETED: Final = re.compile(r"\[(?P<host>[^]]*)](?::[0-9]{1,5})?")
_WITH_PORT: Final = re.compile(r"(?P<host>[0-9.]+):[0-9]{1,5}")
_SECURE_SCHEMES: Final = frozenset({"https", "wss"})


@dataclass(frozen=True, slots=True)
class Identity:
    """An actor, and the instant at which the token that proved it expires."""

    actor: Actor
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """The other end of the connection: its address (never a proxy's that we trust) and what it calls itself.

    `disconnected` is None where nothing can be known of it while an operation runs.
    """

    address: str
    user_agent: str | None
    disconnected: Disconnected | None = field(default=None, compare=False)


def client_of(scope: Scope, trusted: Sequence[Network]) -> Client:
    """Who is at the other end of an ASGI connection, `http` or `websocket`."""
    return Client(
        address=client_address(_peer(scope), _headers(scope, b"x-forwarded-for"), trusted),
        user_agent=_user_agent(next(_headers(scope, b"user-agent"), None)),
    )


def is_secure(scope: Scope, trusted: Sequence[Network]) -> bool:
    """Whether the client speaks TLS: with us or, as `X-Forwarded-Proto` says, with a proxy that we trust.

    Of several values the last counts, which is the one that the nearest proxy wrote.
    """
    if _is_trusted(_parse(_peer(scope) or ""), trusted):
        told = next(_from_the_right([*_headers(scope, b"x-forwarded-proto")]), scope["scheme"])
        return told.lower() in _SECURE_SCHEMES
    return scope["scheme"] in _SECURE_SCHEMES


def client_address(peer: str | None, forwarded_for: Iterable[str], trusted: Sequence[Network]) -> str:
    """The client's address in canonical text, at most 39 characters, or `"unknown"`.

    *peer* is the other end of the socket. *forwarded_for* are the values of `X-Forwarded-For`, where each proxy adds
    at the right whom it heard; so it is read from the right for as long as the one who added is *trusted*. What stands
    further left, anybody may have written. A hop that is no address ends the reading at the last good one. Of a peer
    that is not trusted the header is not read at all, and of others at most `MAX_HOPS` hops.

    A peer on a unix socket has no address, so no network that could be trusted holds it, and it is unknown, whatever
    the header says: a proxy should speak to a loopback address instead.
    """
    address = _parse(peer or "")
    if _is_trusted(address, trusted):
        for hop in islice(_from_the_right([*forwarded_for]), MAX_HOPS):
            heard = _parse(hop)
            if heard is None:
                break
            address = heard
            if not _is_trusted(address, trusted):
                break
    return UNKNOWN if address is None else str(address)


def throttle_key(address: str) -> str:
    """What limits per address count by: the address, or of an IPv6 address its /64.

    A /64 is the least that one subscriber gets (RFC 6177), and holds 2 ** 64 addresses to take turns with.
    """
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _SITE_BITS), strict=False))
    return UNKNOWN if parsed is None else str(parsed)


def _parse(text: str) -> Address | None:
    """An address with or without brackets and port; None for anything else."""
    return _parse_short(text) if len(text) <= _MAX_ADDRESS else None


@lru_cache(maxsize=1_024)
def _parse_short(text: str) -> Address | None:
    match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        return _plain(ip_address(match["host"] if match else text))
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """One form for one machine: IPv4 as IPv4, and no zone (`%eth0`), which says something on its own host only."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def _is_trusted(address: Address | None, trusted: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in trusted)


def _from_the_right(values: Sequence[str]) -> Iterator[str]:
    """The elements of a header's comma-separated lists, the last first; empty ones do not count (RFC 9110, 5.6.1).

    Of values that are too long together their right end is read.
    """
    left = _MAX_FIELD
    for value in reversed(values):
        end = value if len(value) <= left else value[-left:].partition(",")[2]
        yield from filter(None, (element.strip() for element in reversed(end.split(","))))
        left -= len(value) + 1
        if left <= 0:
            return


def _peer(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None


def _headers(scope: Scope, name: bytes) -> Iterator[str]:
    return (value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


def _user_agent(value: str | None) -> str | None:
    return without_control_characters(value[:MAX_USER_AGENT]).strip() or None if value is not None else None
