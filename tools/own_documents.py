"""Writes server/own_documents.json: the GraphQL documents that this project's own clients send.

make documents

Those of the pages are read from the built pages, so they are the texts that a browser sends. Those of the commands are
the constants of their modules.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

import orjson
from graphql import GraphQLSyntaxError, OperationDefinitionNode, parse

from domain.trusted_document import OWN_CLIENTS, named
from graphql_api.execution.document import label_of

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "server" / "own_documents.json"
PAGES: Final = ("board", "account", "links")
"""The pages that send documents of their own."""
MODULES: Final = (
    "cli.stored_sessions.sessions",
    "verification.client.account",
    "verification.client.follower",
    "verification.client.lists",
    "verification.client.projects",
    "verification.client.writer",
    "verification.stream_test",
)
"""The modules whose constants are documents of the commands."""
PARTS: Final = {"_ANSWER"}
"""Constants that look like documents, and are parts of them."""

_LITERAL: Final = re.compile(r"(?:(?P<name>[\w$]+)=)?`(?P<text>(?:[^`\\]|\\.)*)`")
_INSERTED: Final = re.compile(r"\$\{([\w$]+)\}")
_ESCAPED: Final = re.compile(r"\\(.)")
_LETTERS: Final = {"n": "\n", "t": "\t"}
_START: Final = re.compile(r"\s*(query|mutation|subscription|fragment|\{\s*\w)")


def own_documents() -> list[dict[str, str]]:
    """The documents by client and name, each once: those of the client package belong to the first page."""
    found: dict[str, tuple[str, str]] = {}
    for client, texts in {**{page: _of_page(page) for page in PAGES}, "cli": _of_commands()}.items():
        for name, text in _documents(texts):
            found.setdefault(text, (client, name))
    entries = [{"client": OWN_CLIENTS + client, "name": name, "text": text} for text, (client, name) in found.items()]
    return sorted(entries, key=lambda entry: tuple(entry.values()))


def encoded() -> bytes:
    """The content of the file."""
    return orjson.dumps(own_documents(), option=orjson.OPT_INDENT_2) + b"\n"


def _of_page(page: str) -> Iterator[str]:
    for path in sorted((ROOT / "server" / "pages" / page).rglob("*.js")):
        literals = [(match["name"], match["text"]) for match in _LITERAL.finditer(path.read_text())]
        constants = {name: text for name, text in literals if name is not None}
        yield from (_unescaped(_whole(text, constants)) for _, text in literals if _START.match(text))


def _whole(text: str, constants: Mapping[str, str]) -> str:
    return _INSERTED.sub(lambda inserted: constants.get(inserted[1], inserted[0]), text)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda escaped: _LETTERS.get(escaped[1], escaped[1]), text)


def _of_commands() -> Iterator[str]:
    for module in MODULES:
        found = vars(import_module(module))
        yield from (value for name, value in found.items() if isinstance(value, str) and name not in PARTS)


def _documents(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The documents among texts, with the names of their operations."""
    for text in texts:
        operations = _operations(text) if _START.match(text) else []
        if operations:
            yield named(operations), text


def _operations(text: str) -> list[str]:
    try:
        parts = parse(text).definitions
    except GraphQLSyntaxError:
        return []
    return [label_of(part) for part in parts if isinstance(part, OperationDefinitionNode)]


if __name__ == "__main__":
    FILE.write_bytes(encoded())
    sys.stdout.write(f"{len(own_documents())} documents in {FILE.relative_to(ROOT)}\n")
