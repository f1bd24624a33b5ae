"""The coding that a request's body came in (RFC 9110, 8.4)."""

from collections.abc import Sequence
from typing import Final

from graphql_api.auth.facts import Header
from graphql_api.wire.refusal import bad_request

_NONE: Final = {b"", b"identity"}
_UNDERSTOOD: Final = (b"accept-encoding", b"identity")
_MAX_FIELD: Final = 200


def check_coding(headers: Sequence[Header]) -> None:
    """Accept a body as it is; `identity` says just that.

    Raises:
        HTTPRefusal: 415, with what is understood instead, as RFC 9110, 15.5.16, wants it.
    """
    field = b",".join(value for name, value in headers if name == b"content-encoding")
    if len(field) > _MAX_FIELD or not {coding.strip().lower() for coding in field.split(b",")} <= _NONE:
        raise bad_request(
            "Send the body as it is: no Content-Encoding is understood.", status=415, headers=(_UNDERSTOOD,)
        )
