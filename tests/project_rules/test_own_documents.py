"""server/own_documents.json has what the board and the commands send."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.trusted_document import OWN_CLIENTS
from graphql_api.execution.documents import Documents
from graphql_api.root import schema
from server.own_documents import own_documents
from tools.own_documents import FILE, MODULES, PARTS, encoded

ROOT = Path(__file__).parents[2]
OPERATION = re.compile(r"\s*(query|mutation|subscription)\b[^{]*\{|\s*\{ *\w+ *[({]")
SENDERS = ("cli", "verification")
WITHOUT_OWN = ("verification/promises/", "verification/compat/")
"""Tests of a server: they send whatever they test, to servers that execute all documents."""


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Strings in a module that look like documents: the name of the constant, or "" elsewhere; and the text."""
    tree = ast.parse(path.read_text())
    constants = {
        id(node): target.id
        for statement in tree.body
        if isinstance(statement, ast.AnnAssign) and isinstance(target := statement.target, ast.Name)
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        text = _text(node)
        if text is not None and OPERATION.match(text):
            yield constants.get(id(node), ""), text


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return str(node.values[0].value)  # what precedes the first inserted value, which has the braces of a document
    return None


def test_the_file_is_current():
    """`make documents` updates it."""
    assert FILE.read_bytes() == encoded()


def test_all_documents_are_valid():
    """With the limits of the defaults."""
    documents = Documents(schema)
    for each in own_documents():
        assert documents.get(each.text).operations, each.name


@pytest.mark.parametrize(
    ("page", "others"), [("board", ["clients/typescript/src/grant.ts"]), ("account", [])], ids=["board", "account"]
)
def test_the_operations_of_each_page_are_there(page: str, others: list[str]):
    """Those of its sources; those of the client package, which all pages send, belong to the board."""
    paths = [f"frontend/{page}/src/api/operations.graphql", *others]
    source = "".join((ROOT / path).read_text() for path in paths)
    written = set(re.findall(r"\b(?:query|mutation|subscription) ([A-Z]\w*) ?[({]", source))
    assert {each.name for each in own_documents() if each.client == f"{OWN_CLIENTS}{page}"} == written


@pytest.mark.parametrize("package", SENDERS)
def test_commands_send_constants_of_listed_modules(package: str):
    """A document that is made elsewhere would be refused by a server that requires trusted documents."""
    found = {
        (path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."), name)
        for path in (ROOT / package).rglob("*.py")
        if not path.relative_to(ROOT).as_posix().startswith(WITHOUT_OWN)
        for name, _ in texts(path)
    }
    assert found, "the pattern finds nothing"
    assert {module for module, _ in found} <= set(MODULES)
    assert not {name for _, name in found if not name or name in PARTS} - PARTS
