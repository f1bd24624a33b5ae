"""Stream cursors: the position of a subscriber in the event stream, as an opaque text."""

import re
from dataclasses import dataclass
from typing import Final, Self

from domain import base64url
from domain.errors import BadRequest

MAX_LENGTH: Final = 200
_ANY_VERSION: Final = re.compile(r"s[1-9][0-9]{0,2}\.[\x21-\x7e]*")


class UnknownCursorVersion(BadRequest):
    """A stream cursor in the format of another version of this API."""


@dataclass(frozen=True, slots=True)
class StreamCursor:
    """The subscriber has received everything up to `position`.

    `epoch` is the history to which the position belongs; `access_version` is the version of the user's rights.
    """

    epoch: str
    position: int
    access_version: int

    def encode(self) -> str:
        """URL-safe text without padding."""
        return base64url.encode(f"s1.{self.epoch}.{self.position}.{self.access_version}".encode())

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
            plain = base64url.decode(text).decode("ascii")
            if _ANY_VERSION.fullmatch(plain) and not plain.startswith("s1."):
                raise UnknownCursorVersion(
                    "Another version of this API made this stream cursor; omit `after` to start now."
                )
            version, epoch, position, access_version = plain.split(".")
            if version != "s1" or not (position.isascii() and position.isdigit() and access_version.isdigit()):
                raise ValueError(plain)
            if len(position) > 18 or len(access_version) > 9:
                raise ValueError(plain)
        except ValueError as error:
            raise BadRequest("This stream cursor was not made by this API; omit `after` to start now.") from error
        return cls(epoch, int(position), int(access_version))
