"""The difference between "leave it alone" and "clear it"."""

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """What an argument is that was not given; None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
UnsetType = Literal[Unset.UNSET]
