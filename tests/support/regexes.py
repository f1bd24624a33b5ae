"""How much text regular expressions are given: their own work is not seen by a profiler."""

import re
import sys
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass
class Characters:
    """How many characters, or bytes, were given to patterns."""

    given: int = 0


class _Counting:
    """A pattern that counts what it is given."""

    def __init__(self, pattern: "re.Pattern[Any]", characters: Characters) -> None:
        self._pattern = pattern
        self._characters = characters

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._pattern, name)
        if not callable(method):
            return method

        def counted(*arguments: Any, **options: Any) -> Any:
            text = arguments[1] if name in ("sub", "subn") else arguments[0]
            self._characters.given += len(text)
            return method(*arguments, **options)

        return counted


def count_characters(monkeypatch: pytest.MonkeyPatch, *packages: str) -> Characters:
    """Have all patterns that are constants of modules in these packages count, until the test is over."""
    characters = Characters()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in packages:
            for attribute, value in list(vars(module).items()):
                if isinstance(value, re.Pattern):
                    monkeypatch.setattr(module, attribute, _Counting(value, characters))
    return characters
