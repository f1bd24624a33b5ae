"""The live board at `/board`: the stream, to be seen and tried."""

from graphql_api.pages.demo import DemoPeople, page_settings
from graphql_api.pages.page import Page


class Board(Page):
    """The page; with *demo* its sign-in has a button for each of them."""

    def __init__(self, demo: DemoPeople | None = None) -> None:
        super().__init__("board", settings=page_settings(demo))
