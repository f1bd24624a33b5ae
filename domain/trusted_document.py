"""Trusted documents: the GraphQL documents of the clients of an organisation, which an operator has added."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from domain.access_token import Scope
from domain.actor import Actor
from domain.errors import Invalid
from domain.user import Role

MAX_ID: Final = 256
MAX_CLIENT: Final = 50
MAX_DOCUMENT_NAME: Final = 100
MAX_DOCUMENTS: Final = 10_000
"""The documents of all clients together: every process keeps their texts in memory."""

SHA256_PREFIX: Final = "sha256:"
"""What a SHA-256 identifier starts with (GraphQL over HTTP, appendix A)."""
OWN_CLIENTS: Final = "taskriver-"
"""What the names of the clients of this project start with."""

_CLIENT: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{MAX_CLIENT - 1}}}")
_ID: Final = re.compile(rf"[!-~]{{1,{MAX_ID}}}")


class TrustMode(StrEnum):
    """What a server does with documents that are not trusted.

    `OFF`: it knows no trusted documents. `PREFER`: it executes and counts all others. `REQUIRE`: it refuses them.
    """

    OFF = "off"
    PREFER = "prefer"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document of a client. `name` has the names of its operations, for people."""

    id: str
    client: str
    name: str
    text: str


def digest_of(text: str) -> str:
    """The SHA-256 of a text in UTF-8, as 64 hexadecimal digits in lower case."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def check_client(name: str) -> str:
    """The name of a client: 1 to 50 letters in lower case, digits, `.`, `_` and `-`.

    Raises:
        Invalid: it is something else, or the name of a client of this project.
    """
    if not _CLIENT.fullmatch(name):
        raise Invalid(
            f"A client's name has 1 to {MAX_CLIENT} letters in lower case, digits, and the characters . _ - after the "
            "first one, for example web."
        )
    if name.startswith(OWN_CLIENTS):
        raise Invalid(f"Names of clients that start with {OWN_CLIENTS} belong to Taskriver's own clients.")
    return name


def check_id(document_id: str, text: str) -> None:
    """Check the id of a document with this text.

    Raises:
        Invalid: it is not 1 to 256 visible ASCII characters; or it is a SHA-256 identifier, but of another text.
    """
    if not _ID.fullmatch(document_id):
        raise Invalid(f"An id has 1 to {MAX_ID} visible ASCII characters without spaces.")
    if document_id.startswith(SHA256_PREFIX) and document_id != SHA256_PREFIX + digest_of(text):
        raise Invalid("The id is not the SHA-256 of the document's text: make the manifest again.")


def check_count(documents: int) -> None:
    """Refuse to store this many documents.

    Raises:
        Invalid: they are too many.
    """
    if documents > MAX_DOCUMENTS:
        raise Invalid(
            f"There would be {documents:,} trusted documents; the maximum is {MAX_DOCUMENTS:,}. Remove old ones with "
            "`taskriver documents remove`."
        )


def named(names: Sequence[str]) -> str:
    """The name of a document with these operations."""
    text = ", ".join(names)
    return text if len(text) <= MAX_DOCUMENT_NAME else f"{text[: MAX_DOCUMENT_NAME - 1]}…"


def may_send_untrusted(mode: TrustMode, actor: Actor | None) -> bool:
    """Whether the sender of a request may send documents that are not trusted. This is the only place that decides it.

    With `REQUIRE` these are only personal access tokens with the scope `admin` of users with the role ADMIN,
    that are not limited to a project.
    """
    if mode is not TrustMode.REQUIRE:
        return True
    return (
        actor is not None
        and actor.token_id is not None
        and actor.scopes is not None
        and Scope.ADMIN in actor.scopes
        and actor.role is Role.ADMIN
        and actor.project_id is None
    )
