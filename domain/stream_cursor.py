"""Where a listener stands in the stream, as an opaque text."""

from dataclasses import dataclass
from typing import Self

from domain import base64url
from domain.errors import BadRequest

MAX_LENGTH = 200


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
    def decode(cls, text: str) -> Self:
        """The inverse of `encode`.

        Raises:
            BadRequest: the text was not made by `encode`.
        """
        try:
            if len(text) > MAX_LENGTH:
                raise ValueError(len(text))
            plain = base64url.decode(text).decode("ascii")
            version, epoch, position, access_version = plain.split(".")
            if version != "s1" or not (position.isascii() and position.isdigit() and access_version.isdigit()):
                raise ValueError(plain)
            if len(position) > 18 or len(access_version) > 9:
                raise ValueError(plain)
        except ValueError as error:
            raise BadRequest("This stream cursor was not made by this API; leave `after` out to start now.") from error
        return cls(epoch, int(position), int(access_version))
