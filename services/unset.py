"""A marker for arguments that were not given, because None means "clear the value"."""

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """The value of an argument that was not given."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
UnsetType = Literal[Unset.UNSET]
