"""The live board at `/board`."""

from collections.abc import Mapping

from graphql_api.pages.demo import DemoPeople, page_settings
from graphql_api.pages.page import Page


class Board(Page):
    """The page; *demo* are people with a button each, and *links* the names of other pages, with their paths."""

    def __init__(self, demo: DemoPeople | None = None, links: Mapping[str, str] | None = None) -> None:
        super().__init__("board", settings=page_settings(demo, links))
