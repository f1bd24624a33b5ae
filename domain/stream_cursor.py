"""Where a listener stands in the stream, as an opaque text."""

import re
from dataclasses import dataclass
from typing import Final, Self

from domain import base64url
from domain.errors import BadRequest

MAX_LENGTH: Final = 200
_ANY_VERSION: Final = re.compile(r"s[1-9][0-9]{0,2}\.[\x21-\x7e]*")


class UnknownCursorVersion(BadRequest):
    """It is a stream cursor, in a form that another version of this API writes."""


@dataclass(frozen=True, slots=True)
class StreamCursor:
    """Everything up to `position` has been seen.

    `epoch` names the history that the position counts in; `access_version` the rights under which it was seen.
    """

    epoch: str
    position: int
    access_version: int

    def encode(self) -> str:
        """URL-safe text without padding."""
        return base64url.encode(f"s1.{self.epoch}.{self.position}.{self.access_version}".encode())

    @classmethod
    def of_another_history(cls) -> Self:
        """A cursor that cannot be continued, in place of one that cannot be read."""
        return cls(epoch="unknown", position=0, access_version=0)

    @classmethod
    def decode(cls, text: str) -> Self:
        """The inverse of `encode`.

        Raises:
            UnknownCursorVersion: another version of this API made the text.
            BadRequest: it is no stream cursor.
        """
        try:
            if len(text) > MAX_LENGTH:
                raise ValueError(len(text))
            plain = base64url.decode(text).decode("ascii")
            if _ANY_VERSION.fullmatch(plain) and not plain.startswith("s1."):
                raise UnknownCursorVersion(
                    "Another version of this API made this stream cursor; leave `after` out to start now."
                )
            version, epoch, position, access_version = plain.split(".")
            if version != "s1" or not (position.isascii() and position.isdigit() and access_version.isdigit()):
                raise ValueError(plain)
            if len(position) > 18 or len(access_version) > 9:
                raise ValueError(plain)
        except ValueError as error:
            raise BadRequest("This stream cursor was not made by this API; leave `after` out to start now.") from error
        return cls(epoch, int(position), int(access_version))
