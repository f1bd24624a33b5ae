"""npm packages are pinned."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(
    path.parent
    for place in ("clients", "examples", "frontend", "tests")
    for path in (ROOT / place).rglob("package.json")
    if "node_modules" not in path.parts
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_versions_are_pinned(folder: Path):
    """Exact versions in the manifest, hashes in the lock, and no address of a registry."""
    manifest = json.loads((folder / "package.json").read_text())
    versions = {**manifest.get("devDependencies", {}), **manifest.get("dependencies", {})}.values()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+\S*", version) for version in versions)
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert all("integrity" in package for path, package in locked.items() if path)
    assert not any("resolved" in package for package in locked.values())


def test_every_npm_project_is_checked():
    """Pages, examples and the client package."""
    assert {"typescript", "urql", "apollo", "resumable", "board", "graphiql", "browser", "relay", "manifests"} <= {
        folder.name for folder in FOLDERS
    }
