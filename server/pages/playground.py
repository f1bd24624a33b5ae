"""GraphiQL at `/graphql`."""

from collections.abc import Mapping
from typing import Final

from asgi.response import HTTPResponse
from server.pages.demo_users import DemoUsers, page_settings
from server.pages.frontend_page import POLICY, FrontendPage

_POLICY: Final = (
    POLICY
    # The editor, Monaco, adds styles at run time, with an image for the line under errors. Scripts stay restricted to
    # files of this server.
    .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
        "img-src 'self'", "img-src 'self' data:; worker-src 'self'"
    )
)


class Playground(FrontendPage):
    """The page; *demo* gives it a sign-in button per demo user, *links* the paths of other pages by name."""

    def __init__(self, demo: DemoUsers | None = None, links: Mapping[str, str] | None = None) -> None:
        super().__init__("graphiql", settings=page_settings(demo, links), policy=_POLICY)

    def respond(self, url: str, request_headers: Mapping[bytes, bytes]) -> HTTPResponse:
        """The response to a browser that opens the endpoint; the page does not need its *url*."""
        response = self.document(request_headers)
        # Other clients get other responses at the same path.
        response.headers.append((b"vary", b"accept"))
        return response
