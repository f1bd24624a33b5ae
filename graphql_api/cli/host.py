"""The `Host` field of a request (RFC 9112, 3.2)."""

import re
from collections.abc import Sequence
from typing import Final

MAX_HOST: Final = 300
"""A name has at most 253 characters, and a port 5."""

_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


class InvalidHost(ValueError):
    """The message says what to send instead."""


def check_host(version: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Check the field of a request of this HTTP version; names of *headers* are in lower case.

    Stricter than the grammar in one point: a name holds no comma, so that a list of hosts is refused.

    Raises:
        InvalidHost: there are several, its value is none, or a request of HTTP/1.1 has none.
    """
    hosts = [value for name, value in headers if name == b"host"]
    if not hosts:
        if version != "1.0":
            raise InvalidHost("A request of HTTP/1.1 needs the header field Host.")
        return
    if len(hosts) > 1:
        raise InvalidHost("A request has one header field Host, and this one has several.")
    if len(hosts[0]) > MAX_HOST or _HOST.fullmatch(hosts[0]) is None:
        raise InvalidHost("The header field Host must be a host name or an address, with or without a port.")
