"""What a transport knows of a request before any resolver runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from domain.errors import Unauthenticated
from graphql_api.auth.identity import Client, Identity

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """Who asks, from where, and through which door; one per operation.

    `auth_error` is set when a token came and was not accepted: public fields still answer, doors raise it.
    `headers` are those of the HTTP request or of the socket's upgrade, names in lower case, cookies among them.
    `response_headers` may be appended to while an operation runs over HTTP; a socket has no use for them.
    """

    identity: Identity | None
    auth_error: Unauthenticated | None
    client: Client
    request_id: str
    headers: Sequence[Header]
    secure: bool
    door: Literal["http", "ws"]
    response_headers: list[Header] = field(default_factory=list)
