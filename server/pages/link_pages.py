"""The pages of links in mails: `/join`, `/reset-password` and `/verify-email`.

The token is in the fragment of the address, which the browser sends to no server, and the script removes it from there.
"""

from importlib.resources import files
from typing import Final

from starlette.types import Receive, Scope, Send

from asgi.request_context import Header
from asgi.static_files import HTML, REVALIDATE, SCRIPT, StaticFile, serve
from domain.mail import LinkPurpose
from server.pages.html import document, headers_with

SCRIPT_PATH: Final = "/links.js"

_NO_LINK: Final = '<p data-if="none">Open the link from the mail; this address alone has no token.</p>'
_HEADERS: Final[list[Header]] = headers_with("script-src 'self'; connect-src 'self'")
_EMAIL: Final = '<label>E-mail address <input name="email" type="email" autocomplete="email" required></label>'
_USERNAME: Final = (
    '<label>Username <input name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required>'
    "</label>"
)


def _form(action: str, fields: str, button: str, *, condition: str | None = "token") -> str:
    when = f' data-if="{condition}"' if condition is not None else ""
    return (
        f'<form data-action="{action}"{when}>{fields}<p class="problem" role="alert"></p>'
        f'<button>{button}</button><p role="status"></p></form>'
    )


def _password(name: str, label: str, autocomplete: str) -> str:
    return f'<label>{label} <input name="{name}" type="password" autocomplete="{autocomplete}" required></label>'


_RULES: Final = "<p>At least 8 characters, with an upper-case letter, a lower-case letter, a digit and a symbol.</p>"
_BODIES: Final = {
    LinkPurpose.INVITE: (
        "Join Taskriver",
        "<h1>Join Taskriver</h1>"
        + _NO_LINK
        + '<div data-if="token"><h2>Create an account</h2>'
        + _form(
            "join",
            _USERNAME + _EMAIL + _password("password", "Password", "new-password") + _RULES,
            "Create the account",
        )
        + "<h2>Or join with your account</h2>"
        + _form("accept", _USERNAME + _password("password", "Password", "current-password"), "Join the project")
        + "</div>",
    ),
    LinkPurpose.RESET: (
        "Set a new password",
        "<h1>Set a new password</h1>"
        + _form("reset", _password("newPassword", "New password", "new-password") + _RULES, "Set the password")
        + _form("request", _EMAIL, "Send me a link", condition="none"),
    ),
    LinkPurpose.VERIFY: (
        "Confirm your e-mail address",
        "<h1>Confirm your e-mail address</h1>" + _NO_LINK + _form("verify", "", "Confirm this address"),
    ),
}
# A verification needs a click: scanners of mail open links, but submit no forms.


class LinkPage:
    """One of the pages: an ASGI application."""

    def __init__(self, purpose: LinkPurpose) -> None:
        """The page for links with this *purpose*."""
        title, body = _BODIES[purpose]
        self._file = StaticFile(document(title, body, script=SCRIPT_PATH), HTML)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page."""
        await serve(
            scope,
            send,
            lambda request_headers: self._file.response(request_headers, cache=REVALIDATE, headers=_HEADERS),
        )


class LinkScript:
    """The script of the pages: an ASGI application."""

    def __init__(self) -> None:
        self._file = StaticFile(files(__package__).joinpath("links", "links.js").read_bytes(), SCRIPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the script."""
        await serve(
            scope,
            send,
            lambda request_headers: self._file.response(request_headers, cache=REVALIDATE, headers=_HEADERS),
        )
