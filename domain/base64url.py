"""Bytes as text that may stand in a URL: the alphabet of RFC 4648, section 5, without padding."""

import binascii
from typing import Final

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_PLAIN: Final = bytes.maketrans(b"-_", b"+/")


def encode(plain: bytes) -> str:
    """The text for these bytes."""
    # As base64.urlsafe_b64encode, which takes three times as long: a page of tasks has hundreds of these.
    return binascii.b2a_base64(plain, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The inverse of `encode`.

    Raises:
        ValueError: the text was not made by `encode`.
    """
    padded = text.encode("ascii").translate(_PLAIN) + b"=" * (-len(text) % 4)
    return binascii.a2b_base64(padded, strict_mode=True)
