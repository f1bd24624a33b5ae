"""What HTTP itself refuses, before GraphQL has a say."""

from domain.errors import BadRequest, DomainError, Unavailable
from graphql_api.auth.facts import Header


class HTTPRefusal(Exception):
    """A request that is answered with *status* and *error*."""

    def __init__(self, status: int, error: DomainError, *headers: Header) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.headers = list(headers)


def bad_request(text: str, *, status: int = 400, headers: tuple[Header, ...] = ()) -> HTTPRefusal:
    """The request is malformed, and the text says how to mend it."""
    return HTTPRefusal(status, BadRequest(text), *headers)


def unavailable(error: Unavailable) -> HTTPRefusal:
    """A part is down; the same request may be sent again in a second."""
    return HTTPRefusal(503, error, (b"retry-after", b"1"))
