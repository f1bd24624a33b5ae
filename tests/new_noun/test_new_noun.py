"""A new noun needs one short file per layer and a few registrations: the walk-through of CONTRIBUTING.md, performed.

`noun/` has the files of notes on tasks, and `registrations.py` the lines that they need in existing files. The test
adds both to a copy of the repository, and runs the noun's own tests there.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from difflib import ndiff
from pathlib import Path
from typing import NamedTuple

import pytest
from graphql import GraphQLObjectType, build_schema, find_breaking_changes

from domain.event_parsing import read_event
from domain.unknown_events import SkippedEvent
from tests.new_noun.registrations import REGISTRATIONS

ROOT = Path(__file__).parents[2]
NOUN = Path(__file__).parent / "noun"
FILES = sorted(file.relative_to(NOUN).as_posix() for file in NOUN.rglob("*.py"))
MACHINERY = ("graphql_api/compiler/", "graphql_api/execution/", "graphql_api/transports/", "streaming/", "server/")
"""A new noun changes nothing in these directories."""
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as lint; raise SystemExit(lint())"
NOT_COPIED = shutil.ignore_patterns("node_modules", "new_noun")
MAX_LINES = 300
"""Lines of the noun and its registrations, without empty lines and without the noun's tests."""
NO_CACHE = {"PYTHONDONTWRITEBYTECODE": "1"}


def run(copy: Path, *arguments: str) -> str:
    """The output of Python in the copy, whose modules it finds before those of this repository."""
    command, environment = [sys.executable, *arguments], os.environ | NO_CACHE
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{' '.join(arguments)}\n{ran.stdout[-20_000:]}{ran.stderr[-5_000:]}"
    return ran.stdout


class Copy(NamedTuple):
    """A copy of the repository with the noun; `before` are the texts of its files without the noun, by path."""

    path: Path
    before: dict[str, str]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """The Python packages of the repository, with the noun."""
    copy, settings = tmp_path_factory.mktemp("repository"), tomllib.loads((ROOT / "pyproject.toml").read_text())
    for package in settings["tool"]["mypy"]["packages"]:
        shutil.copytree(ROOT / package, copy / package, ignore=NOT_COPIED)
    shutil.copy2(ROOT / "pyproject.toml", copy)
    before = texts(copy)
    for registration in REGISTRATIONS:
        registration.apply(copy)
    shutil.copytree(NOUN, copy, dirs_exist_ok=True, ignore=NOT_COPIED)
    yield Copy(copy, before)
    shutil.rmtree(copy)


@pytest.fixture(scope="module")
def copy(copied: Copy) -> Path:
    """Where the copy is."""
    return copied.path


def texts(copy: Path) -> dict[str, str]:
    """The texts of the modules, by path."""
    return {file.relative_to(copy).as_posix(): file.read_text() for file in copy.rglob("*.py")}


def changed_files(copied: Copy) -> dict[str, int]:
    """Files of the copy that are new or changed → the number of their added lines, without empty ones."""
    found: dict[str, int] = {}
    for name, text in texts(copied.path).items():
        before, after = copied.before.get(name, "").splitlines(), text.splitlines()
        if before != after:
            found[name] = sum(line.startswith("+ ") and bool(line[2:].strip()) for line in ndiff(before, after))
    return found


def test_the_machinery_is_unchanged_and_the_noun_is_short(copied: Copy):
    """Only the noun's files and the registrations differ, and they are few lines."""
    changed = changed_files(copied)
    registered = {each.path for each in REGISTRATIONS}

    assert changed.keys() == {*FILES, *registered}
    assert [name for name in changed if name.startswith(MACHINERY)] == []
    lines = {name: count for name, count in changed.items() if not name.startswith("tests/")}
    assert sum(lines.values()) <= MAX_LINES, lines


def test_the_walk_through_names_every_file():
    """CONTRIBUTING.md names the layers of the noun and the files with registrations."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## A new noun")[2].partition("\n## ")[0]
    named = {each.path for each in REGISTRATIONS} | {name for name in FILES if "migrations/" not in name}
    assert sorted(name for name in named if name.replace("note", "<noun>") not in section) == []


def test_the_noun_works_on_both_executors(copy: Path):
    """Its own tests pass in the copy: pages, refusals, visibility, idempotency keys, delivery and replay."""
    output = run(copy, "-m", "pytest", "-p", "no:cacheprovider", "tests/graphql_api/test_note.py")
    assert "passed" in output
    assert "skipped" not in output


def test_the_noun_keeps_the_rules_of_the_repository(copy: Path):
    """Imports point downwards, the code is formatted and has no lint errors, and the schema only grows."""
    run(copy, "-c", LINT_IMPORTS)
    changed = [*FILES, *{each.path for each in REGISTRATIONS}]
    run(copy, "-m", "ruff", "check", *changed)
    run(copy, "-m", "ruff", "format", "--check", *changed)
    before = build_schema((ROOT / "schema.graphql").read_text())
    after = build_schema(run(copy, "-m", "cli", "export-schema"))
    assert find_breaking_changes(before, after) == []
    note = after.get_type("Note")
    assert isinstance(note, GraphQLObjectType)
    assert set(note.fields) == {"id", "text", "version", "createdAt", "updatedAt", "author"}


def test_a_process_without_the_noun_skips_its_events():
    """During an upgrade, old processes read the log of new ones."""
    assert read_event("NOTE", {"note": "…"}) == SkippedEvent("NOTE")
