"""Demo users that pages offer to sign in as."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoUsers:
    """Users of the demo data, who have the same password."""

    names: tuple[str, ...]
    password: str


def page_settings(
    demo: DemoUsers | None, links: Mapping[str, str] | None, sign_in: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The settings for a page's scripts: the demo users, and links to other pages by name.

    *sign_in* says how users sign in, if it is not with passwords only: `passwords`, and `providers` with their labels
    and the paths of their buttons.
    """
    given: dict[str, Any] = {} if demo is None else {"demo": asdict(demo)}
    return given | ({"links": dict(links)} if links else {}) | ({"signIn": dict(sign_in)} if sign_in else {})
