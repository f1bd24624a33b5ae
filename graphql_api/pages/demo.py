"""Whom pages offer to sign in as, by one click."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """People of the demo data, all with one password."""

    names: tuple[str, ...]
    password: str


def page_settings(demo: DemoPeople | None) -> dict[str, Any]:
    """What a page's scripts should know; they have a button for each of the *demo* people."""
    return {} if demo is None else {"demo": asdict(demo)}
