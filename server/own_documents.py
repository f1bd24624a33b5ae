"""The documents of this project's own clients: the board, the client package in its pages, and the commands.

`make documents` writes own_documents.json. It belongs to the version whose pages and commands it was made of.
"""

from importlib.resources import files
from typing import Final

import orjson

from domain.trusted_document import TrustedDocument, digest_of

FILE: Final = "own_documents.json"


def own_documents() -> list[TrustedDocument]:
    """The documents. The id of each is its SHA-256."""
    entries = orjson.loads(files(__package__).joinpath(FILE).read_bytes())
    return [TrustedDocument(digest_of(each["text"]), each["client"], each["name"], each["text"]) for each in entries]
