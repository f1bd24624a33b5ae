"""The live board at `/board`."""

from collections.abc import Mapping
from typing import Any

from server.pages.demo_users import DemoUsers, page_settings
from server.pages.frontend_page import FrontendPage


class Board(FrontendPage):
    """The page; *demo* gives it a sign-in button per demo user, *links* the paths of other pages by name.

    *sign_in* says how users sign in, if it is not with passwords only: `passwords`, and `providers` with their labels
    and the paths of their buttons.
    """

    def __init__(
        self,
        demo: DemoUsers | None = None,
        links: Mapping[str, str] | None = None,
        sign_in: Mapping[str, Any] | None = None,
    ) -> None:
        settings = page_settings(demo, links)
        super().__init__("board", settings=settings if sign_in is None else settings | {"signIn": sign_in})
