"""The README, as the tests read it."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text()

_FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str = "sh") -> list[str]:
    """What stands in fences of a language, in the README's order."""
    return [text for found, text in _FENCED.findall(README) if found == language]
