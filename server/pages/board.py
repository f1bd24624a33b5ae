"""The live board at `/board`."""

from collections.abc import Mapping
from typing import Any

from server.pages.demo_users import DemoUsers, page_settings
from server.pages.frontend_page import FrontendPage


class Board(FrontendPage):
    """The page; *demo* gives it a sign-in button per demo user, *links* the paths of other pages by name.

    For *sign_in* see `page_settings`.
    """

    def __init__(
        self,
        demo: DemoUsers | None = None,
        links: Mapping[str, str] | None = None,
        sign_in: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__("board", settings=page_settings(demo, links, sign_in))
