"""The committed pages are built from their sources, and stay within their budgets and policies."""

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
LARGEST_PAGE = {"graphiql": 1_900_000, "board": 60_000, "account": 40_000}
"""Bytes of all files of a page, compressed."""
TOOLS = {"typescript", "vite"}
FREE = {"MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}


@pytest.fixture(params=BUILT, ids=lambda path: path.name)
def page(request: pytest.FixtureRequest) -> Path:
    """The folder of each page."""
    folder: Path = request.param
    return folder


def test_every_page_has_a_budget():
    """And every budget has a page."""
    assert {page.name for page in BUILT} == LARGEST_PAGE.keys()


def test_pages_are_built_from_these_sources(page: Path):
    """`tools/build-frontend` must run after a change."""
    assert (page / "SOURCES").read_text() == sources(page.name)


def test_pages_are_within_their_budgets(page: Path):
    """A large new package is noticed."""
    files = [path.read_bytes() for path in (page / "assets").iterdir()]
    assert max(len(content) for content in files) <= LARGEST_FILE
    assert sum(len(gzip.compress(content, 6)) for content in files) <= LARGEST_PAGE[page.name]


def test_every_package_has_its_licence(page: Path):
    """Name, version and text, for packages that may be redistributed."""
    licenses = (page / "LICENSES.md").read_text()
    manifest = json.loads((ROOT / "frontend" / page.name / "package.json").read_text())
    lock = json.loads((ROOT / "frontend" / page.name / "package-lock.json").read_text())["packages"]
    for name in _packages_in(manifest):
        assert f"{name} - {lock['node_modules/' + name]['version']}" in licenses or f"## {name}/" in licenses, name
    found = re.findall(r"^## \S+ - \S+ \((.+)\)$", licenses, re.MULTILINE)
    assert set(found) <= FREE


def _packages_in(manifest: dict[str, dict[str, str]]) -> set[str]:
    """The packages of a page: its dependencies, and development packages that are no tools."""
    if "dependencies" in manifest:
        return set(manifest["dependencies"])
    return {name for name in manifest["devDependencies"] if name not in TOOLS and not name.startswith("@types/")}


def test_pages_load_nothing_from_other_hosts(page: Path):
    """Neither documents, styles nor source maps."""
    for path in (page / "index.html", *(page / "assets").glob("*.css")):
        assert not re.search(r"(?:url\(|src=|href=)[\"']?(?:https?:)?//", path.read_text()), path.name
    for path in (page / "assets").glob("*.js"):
        assert "sourceMappingURL=" not in path.read_text()[-500:], path.name


def test_the_board_offers_the_moves_that_the_server_accepts():
    """Its table of transitions is that of the domain."""
    table = json.loads((ROOT / "frontend/board/src/board/transitions.json").read_text())
    expected = {status.name: {target.name for target in targets} for status, targets in FOLLOWERS.items()}
    assert {status: set(targets) for status, targets in table.items()} == expected
