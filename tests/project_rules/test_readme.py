"""What README and the pages behind it name is there: targets, links, fields. `make readme` runs their commands."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from tests.readme.text import README, ROOT, blocks

INDEX = ROOT / "docs/README.md"
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
    *sorted(ROOT.glob("clients/*/README.md")),
]
SCHEMA = build_schema((ROOT / "schema.graphql").read_text())


def name_of(page: Path) -> str:
    """How a test of a page is called."""
    return str(page.relative_to(ROOT))


def test_every_make_target_exists():
    """That README mentions."""
    typed = [line for block in blocks() for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", README)
    targets = {found[1] for line in typed if (found := re.match(r"make ([a-z][a-z0-9-]+)", line))}
    assert {"run", "test"} <= targets
    listed = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets <= listed


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path):
    """Links to files of the repository name files that are there, and links into a page one of its headings."""
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in headings(target.read_text()), link


def test_the_index_lists_every_page():
    """docs/README.md links every page beside it and every example."""
    links = re.findall(r"\]\(([^)#\s]+)", INDEX.read_text())
    pages = {
        page.resolve()
        for page in [*INDEX.parent.glob("*.md"), *ROOT.glob("examples/*/README.md"), *ROOT.glob("clients/*/README.md")]
    } - {INDEX}
    targets = {(INDEX.parent / link).resolve() for link in links if not link.startswith("http")}
    assert pages <= targets | {target / "README.md" for target in targets}


def headings(text: str) -> set[str]:
    """How the headings of a page are named in links."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks("graphql", page.read_text())], ids=name_of)
def test_every_document_can_be_asked(page: Path):
    """Documents that a page shows are documents of this schema."""
    for document in blocks("graphql", page.read_text()):
        assert validate(SCHEMA, parse(document)) == []
