"""Stream cursors: the position of a subscriber in the event stream, as an opaque text.

The text is base64url of `s1.<epoch>.<position>.<access version>`, or of `s2.` with the same parts and a fingerprint.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from domain import base64url
from domain.errors import BadRequest

MAX_LENGTH: Final = 200
_ANY_VERSION: Final = re.compile(r"s[1-9][0-9]{0,2}\.[\x21-\x7e]*")
_NUMBERS: Final = {"s1": (18, 9), "s2": (18, 9, 15)}
"""The most digits of the numbers after the epoch, by format."""


class UnknownCursorVersion(BadRequest):
    """A stream cursor in the format of another version of this API."""


@dataclass(frozen=True, slots=True)
class StreamCursor:
    """The subscriber has received everything up to `position`.

    `epoch` is the history to which the position belongs, see `epoch_of`; `access_version` is the version of the user's
    rights. `fingerprint` is that of the event at the position, if it is known, see `LoggedEvent`.
    """

    epoch: str
    position: int
    access_version: int
    fingerprint: int | None = None

    def encode(self) -> str:
        """URL-safe text without padding: format 2 with a fingerprint, format 1 without one."""
        old = f"{self.epoch}.{self.position}.{self.access_version}"
        text = f"s1.{old}" if self.fingerprint is None else f"s2.{old}.{self.fingerprint}"
        return base64url.encode(text.encode())

    @classmethod
    def of_another_history(cls) -> Self:
        """A cursor that is never valid, in the place of one that cannot be read."""
        return cls(epoch="unknown", position=0, access_version=0)

    @classmethod
    def decode(cls, text: str) -> Self:
        """The inverse of `encode`.

        Raises:
            UnknownCursorVersion: another version of this API made the cursor.
            BadRequest: the text is not a stream cursor.
        """
        try:
            if len(text) > MAX_LENGTH:
                raise ValueError(len(text))
            version, *parts = base64url.decode(text).decode("ascii").split(".")
            if version not in _NUMBERS and _ANY_VERSION.fullmatch(".".join([version, *parts])):
                raise UnknownCursorVersion(
                    "Another version of this API made this stream cursor; omit `after` to start now."
                )
            epoch, *numbers = parts
            limits = _NUMBERS[version]
            return cls(epoch, *[_number(number, digits) for number, digits in zip(numbers, limits, strict=True)])
        except (KeyError, ValueError) as error:
            raise BadRequest("This stream cursor was not made by this API; omit `after` to start now.") from error


def epoch_of(epoch: str, promoted: int, fingerprint: int | None) -> str:
    """The epoch of a cursor. *promoted* is the last position at which a promoted standby continued the epoch, or 0.

    A cursor without a fingerprint cannot show that the standby has its event. So it is valid until the next promotion,
    whose position is a part of its epoch.
    """
    return epoch if fingerprint is not None or promoted == 0 else f"{epoch}@{promoted}"


def _number(text: str, most_digits: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > most_digits:
        raise ValueError(text)
    return int(text)
