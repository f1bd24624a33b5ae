"""Whom pages offer to sign in as, by one click."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoUsers:
    """People of the demo data, all with one password."""

    names: tuple[str, ...]
    password: str


def page_settings(demo: DemoUsers | None, links: Mapping[str, str] | None) -> dict[str, Any]:
    """What a page's scripts should know: the *demo* people, and *links* to other pages by name."""
    return ({} if demo is None else {"demo": asdict(demo)}) | ({"links": dict(links)} if links else {})
