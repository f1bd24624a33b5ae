"""A socket that is refused before there is one: an HTTP answer, with a reason for whoever can read it."""

from typing import Final

from starlette.types import Scope, Send

from graphql_api.wire.closing import Code

FOREIGN: Final = "Pages of this origin may not listen; ALLOWED_ORIGINS names those that may."

_ANSWERS: Final = "websocket.http.response"


async def deny(scope: Scope, send: Send, status: int, text: str) -> None:
    """Answer the handshake with *status* and *text*; with a bare 403 where the server cannot say more.

    Browsers show pages neither of the two, command line clients show both.
    """
    if _ANSWERS not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": Code.FORBIDDEN})
        return
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": f"{_ANSWERS}.start", "status": status, "headers": headers})
    await send({"type": f"{_ANSWERS}.body", "body": body})
