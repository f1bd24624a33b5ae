"""GraphiQL at `/graphql`: a page to try the API in."""

from collections.abc import Mapping
from typing import Final

from asgi.response import HTTPResponse
from server.pages.demo_users import DemoUsers, page_settings
from server.pages.frontend_page import POLICY, FrontendPage

_POLICY: Final = (
    POLICY
    # The editor, Monaco, writes its styles while it runs, with the wavy line below a mistake as an image in them.
    # Nobody may write scripts into the page.
    .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
        "img-src 'self'", "img-src 'self' data:; worker-src 'self'"
    )
)


class Playground(FrontendPage):
    """The page; *demo* are people with a button each, and *links* the names of other pages, with their paths."""

    def __init__(self, demo: DemoUsers | None = None, links: Mapping[str, str] | None = None) -> None:
        super().__init__("graphiql", settings=page_settings(demo, links), policy=_POLICY)

    def visit(self, url: str, asked: Mapping[bytes, bytes]) -> HTTPResponse:
        """The answer to a browser that comes to the endpoint; it knows its *url* itself."""
        answer = self.document(asked)
        # Programs get other answers from the same address.
        answer.headers.append((b"vary", b"accept"))
        return answer
