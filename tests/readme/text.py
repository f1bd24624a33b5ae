"""README and the pages for its readers, as the tests read them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text()
EXECUTED: Final = ("docs/frontend.md", "docs/rest-migration.md")
"""Pages whose commands are run, and whose output is compared."""

_FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANYTHING: Final = "…"


@dataclass(frozen=True, slots=True)
class Step:
    """Commands, and what is shown of what they print: JSON, lines, or nothing."""

    commands: str
    language: str = ""
    shown: str | None = None

    def agrees(self, printed: str) -> bool:
        """Whether the output equals the documented one, where `…` stands for any text."""
        if self.shown is None:
            return True
        if self.language == "json":
            return _alike(json.loads(self.shown), json.loads(printed))
        lines = [[each.rstrip() for each in text.rstrip("\n").splitlines()] for text in (self.shown, printed)]
        return len(lines[0]) == len(lines[1]) and all(map(_alike, *lines))


def blocks(language: str = "sh", text: str = README) -> list[str]:
    """What stands in fences of a language, in the order of the text."""
    return [found for name, found in _FENCED.findall(text) if name == language]


def steps(text: str) -> list[Step]:
    """The commands of a page; an answer is shown right behind its command."""
    fences = list(_FENCED.finditer(text))
    return [
        _step(text, fence, later) for fence, later in zip(fences, [*fences[1:], None], strict=True) if fence[1] == "sh"
    ]


def _step(text: str, fence: re.Match[str], later: re.Match[str] | None) -> Step:
    if later is None or later[1] not in ("", "json") or text[fence.end() : later.start()].strip():
        return Step(fence[2])
    return Step(fence[2], later[1], later[2])


def _alike(shown: Any, found: Any) -> bool:
    if isinstance(shown, dict) and isinstance(found, dict):
        return shown.keys() == found.keys() and all(_alike(shown[key], found[key]) for key in shown)
    if isinstance(shown, list) and isinstance(found, list):
        return len(shown) == len(found) and all(map(_alike, shown, found))
    if isinstance(shown, str) and _ANYTHING in shown:
        pattern = ".*".join(map(re.escape, shown.split(_ANYTHING)))
        return re.fullmatch(pattern, str(found), re.DOTALL) is not None
    return bool(shown == found)
