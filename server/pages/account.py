"""The pages `/account` and `/admin`: one document, which shows what belongs to its path."""

from collections.abc import Mapping
from typing import Any, Final

from server.pages.demo_users import DemoUsers, page_settings
from server.pages.frontend_page import FrontendPage

PATHS: Final = ("/account", "/account/cli", "/admin", "/admin/audit")
ASSETS: Final = "/account/assets/{name}"


class AccountPages(FrontendPage):
    """The pages; *demo* gives them a sign-in button per demo user, *links* the paths of other pages by name.

    For *sign_in* see `page_settings`.
    """

    def __init__(
        self,
        demo: DemoUsers | None = None,
        links: Mapping[str, str] | None = None,
        sign_in: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__("account", settings=page_settings(demo, links, sign_in))
