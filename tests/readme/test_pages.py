"""The pages for README's readers: their commands are run in order, and what they show is what comes."""

import pytest

from tests.readme.terminal import Terminal
from tests.readme.text import EXECUTED, ROOT, Step, steps

END = "=== the end of a step ==="


@pytest.mark.parametrize("page", EXECUTED)
def test_the_commands_of_a_page_work(terminal: Terminal, page: str):
    """Every command succeeds, and prints the documented output."""
    known = steps((ROOT / page).read_text())
    script = "\n".join(f"{step.commands}\necho; echo '{END}'" for step in known)

    printed = terminal.run(script).split(f"\n{END}\n")

    assert len(printed) == len(known) + 1
    wrong = [(step.commands, found) for step, found in zip(known, printed, strict=False) if not step.agrees(found)]
    assert wrong == []


@pytest.mark.parametrize(
    ("language", "shown", "printed", "agrees"),
    [
        ("json", '{"id": "…", "n": 1}', '{"n":1,"id":"x"}', True),
        ("json", '{"id": "…", "n": 1}', '{"n":2,"id":"x"}', False),
        ("json", '{"id": "…"}', '{"id":"x","more":1}', False),
        ("json", '["at …Z"]', '["at noon"]', False),
        ("", "one\ntwo …\n", "one\ntwo three\n\n", True),
        ("", "one\n", "one\ntwo\n", False),
    ],
)
def test_the_output_is_compared(language: str, shown: str, printed: str, agrees: bool):
    """Only `…` stands for any text."""
    assert Step("", language, shown).agrees(printed) is agrees
