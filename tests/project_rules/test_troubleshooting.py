"""docs/troubleshooting.md quotes messages as the product prints them."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = (*PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "tools")
OTHER_SOURCES = ("docker-compose.yml",)
VALUE = "…"


class Symptom(NamedTuple):
    """A section of the page: its title, its text, and the messages of Taskriver that it quotes."""

    title: str
    text: str
    messages: list[str]


def symptoms() -> list[Symptom]:
    """All sections, in order. Messages of other programs are in blocks of another language than `text`."""
    _, *sections = re.split(r"^### ", PAGE, flags=re.MULTILINE)
    return [Symptom(section.partition("\n")[0], section, messages_in(section)) for section in sections]


def messages_in(section: str) -> list[str]:
    """The lines of the blocks that quote Taskriver."""
    blocks = re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def quoted() -> list[str]:
    """Every message that the page quotes."""
    return [message for symptom in symptoms() for message in symptom.messages]


@cache
def sources() -> tuple[str, ...]:
    """What each file of the product can print: its string literals, without docstrings, with `…` for each value."""
    modules = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    printed = ["\n".join(literals(ast.parse(path.read_text()))) for path in modules]
    return (*printed, *((ROOT / name).read_text() for name in OTHER_SOURCES))


def literals(tree: ast.Module) -> Iterator[str]:
    """The string literals of a module. An f-string is one literal, with `…` for each value that is not a constant."""
    constants = dict(constants_of(tree))
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            yield "".join(shown(part, constants) for part in node.values)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"%[sdr]|\{[^{}]*\}", VALUE, node.value)
        waiting.extend(child for child in ast.iter_child_nodes(node) if not is_docstring(child))


def constants_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names and values of the module's string constants."""
    for node in tree.body:
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.value, ast.Constant)
        ):
            yield node.target.id, str(node.value.value)


def shown(part: ast.expr, constants: dict[str, str]) -> str:
    """A part of an f-string as the page quotes it."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    value = part.value if isinstance(part, ast.FormattedValue) else part
    return constants.get(value.id, VALUE) if isinstance(value, ast.Name) else VALUE


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is nothing but a string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def is_printed(message: str) -> bool:
    """Whether one file of the product has all parts of *message* between its values."""
    parts = [part.strip() for part in message.split(VALUE) if re.search(r"\w", part)]
    return bool(parts) and any(all(part in source for part in parts) for source in sources())


@pytest.mark.parametrize("message", quoted())
def test_every_quoted_message_exists(message: str):
    """Change the page when you change a message."""
    assert is_printed(message)


def reasons_of_sign_ins() -> list[str]:
    """The reasons of failed sign-ins, in the first column of their table."""
    page = (ROOT / "docs/single-sign-on.md").read_text()
    table = page.partition("| the log says |")[2].partition("\n\n")[0]
    return re.findall(r"^\| ([^|-][^|]*) \|", table, re.MULTILINE)


def test_the_reasons_of_failed_sign_ins_exist():
    """Parts of the log's lines, as the server prints them."""
    assert len(reasons_of_sign_ins()) >= 7
    assert [each for each in reasons_of_sign_ins() if not is_printed(each)] == []


def test_a_changed_message_is_detected():
    """Another word, or text in place of a value, is not found."""
    assert not is_printed("Port … is in use: start the program on …, or set another port, such as PORT=8001.")
    assert not is_printed("Port 8000 is in use: stop the program on …, or set another port, such as PORT=8001.")
    assert not is_printed("…")


def test_each_message_is_quoted_once():
    """A search finds one section."""
    assert len(quoted()) == len(set(quoted()))


def test_there_are_twenty_sections():
    """At least, each with a message."""
    assert sum(bool(symptom.messages) for symptom in symptoms()) >= 20


@pytest.mark.parametrize("symptom", symptoms(), ids=lambda symptom: symptom.title)
def test_each_symptom_has_a_cause_and_a_remedy(symptom: Symptom):
    """Each section explains the reason, and then the solution."""
    assert re.search(r"^\*\*Cause\.\*\* .+^\*\*What to do\.\*\* ", symptom.text, re.MULTILINE | re.DOTALL)
