"""The pages that are committed are what their sources say, and no larger or looser than they may be."""

import gzip
import json
import re
from pathlib import Path

import pytest

from domain.task import FOLLOWERS
from server.pages import frontend_page as pages
from tools.frontend_sources import sources

ROOT = Path(__file__).parents[2]
BUILT = sorted(path.parent for path in Path(pages.__file__).parent.glob("*/index.html"))
LARGEST_FILE = 1_500_000
LARGEST_PAGE = {"graphiql": 1_900_000, "board": 60_000}
"""Bytes of all files of a page, compressed."""
TOOLS = {"typescript", "vite"}
FREE = {"MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}


@pytest.fixture(params=BUILT, ids=lambda path: path.name)
def page(request: pytest.FixtureRequest) -> Path:
    """The folder of each page."""
    folder: Path = request.param
    return folder


def test_there_are_a_playground_and_a_board():
    """Each page that has a budget is there, and each that is there has one."""
    assert {page.name for page in BUILT} == LARGEST_PAGE.keys()


def test_it_was_built_from_these_sources(page: Path):
    """Whoever changes a source runs `tools/build-frontend`, too."""
    assert (page / "SOURCES").read_text() == sources(page.name)


def test_it_is_no_larger_than_it_was_allowed_to_be(page: Path):
    """A new package that doubles a page does not come in unnoticed."""
    files = [path.read_bytes() for path in (page / "assets").iterdir()]
    assert max(len(content) for content in files) <= LARGEST_FILE
    assert sum(len(gzip.compress(content, 6)) for content in files) <= LARGEST_PAGE[page.name]


def test_every_package_in_it_has_its_licence_told(page: Path):
    """Name, version and text of what the page depends on; all of them may be passed on."""
    licenses = (page / "LICENSES.md").read_text()
    manifest = json.loads((ROOT / "frontend" / page.name / "package.json").read_text())
    lock = json.loads((ROOT / "frontend" / page.name / "package-lock.json").read_text())["packages"]
    for name in _packages_in(manifest):
        assert f"{name} - {lock['node_modules/' + name]['version']}" in licenses or f"## {name}/" in licenses, name
    found = re.findall(r"^## \S+ - \S+ \((.+)\)$", licenses, re.MULTILINE)
    assert set(found) <= FREE


def _packages_in(manifest: dict[str, dict[str, str]]) -> set[str]:
    """What a page is made of: its dependencies, or whatever it develops with that is no tool."""
    if "dependencies" in manifest:
        return set(manifest["dependencies"])
    return {name for name in manifest["devDependencies"] if name not in TOOLS and not name.startswith("@types/")}


def test_it_asks_nobody_else_for_anything(page: Path):
    """Document and styles name no other host, and scripts no maps of their sources."""
    for path in (page / "index.html", *(page / "assets").glob("*.css")):
        assert not re.search(r"(?:url\(|src=|href=)[\"']?(?:https?:)?//", path.read_text()), path.name
    for path in (page / "assets").glob("*.js"):
        assert "sourceMappingURL=" not in path.read_text()[-500:], path.name


def test_the_board_offers_the_moves_that_the_server_accepts():
    """Its table of transitions is that of the domain."""
    table = json.loads((ROOT / "frontend/board/src/board/transitions.json").read_text())
    expected = {status.name: {target.name for target in targets} for status, targets in FOLLOWERS.items()}
    assert {status: set(targets) for status, targets in table.items()} == expected
