"""Secret words: each is in one object only, so that its presence in any bytes shows where they come from."""

import re
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

from tests.probes.things import Person, Secret

_WORD: Final = re.compile(rb"zq[0-9a-f]{10}qz")


class Words:
    """The words that were given out, and what each of them is in."""

    def __init__(self) -> None:
        self._of: dict[bytes, Secret] = {}

    @staticmethod
    def new() -> str:
        """A new word."""
        return f"zq{uuid4().hex[:10]}qz"

    def keep(self, word: str, of: Secret) -> None:
        """The word is in this object."""
        self._of[word.encode()] = of

    def all(self) -> set[str]:
        """The words that are kept."""
        return {word.decode() for word in self._of}

    def forget(self, kept: set[str]) -> None:
        """Forget all words but these."""
        self._of = {word: of for word, of in self._of.items() if word.decode() in kept}

    def leaked(self, raw: bytes, to: Person) -> Iterator[str]:
        """The words in these bytes that are in objects which the person may not read."""
        for word in set(_WORD.findall(raw)):
            of = self._of.get(word)
            if of is not None and not of.is_readable_by(to):
                yield f"{word.decode()} of a {type(of).__name__.lower()}"
