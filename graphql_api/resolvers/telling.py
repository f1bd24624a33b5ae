"""An event on its way to one listener, before anything of it is executed."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Telling:
    """What the execution of a subscription's event begins with.

    An operation answers two tellings alike if their `viewpoint` is equal, and their `viewer` too if it selects
    anything personal. None: this one is like no other. `make` makes the value of the root field.
    """

    viewpoint: Hashable | None
    viewer: Hashable
    make: Callable[[], Any]
