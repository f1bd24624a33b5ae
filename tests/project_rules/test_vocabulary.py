"""Names, comments and texts use the field's terms: retired words of older versions do not come back."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = (
    *("asgi", "cli", "domain", "embedded", "graphql_api", "observability", "persistence", "rest_api", "server"),
    *(
        "services",
        "streaming",
        "verification",
        "migrations",
        "benchmarks",
        "clients",
        "docs",
        "examples",
        "frontend",
        "tools",
    ),
    *("tests", "CONTRIBUTING.md", "README.md", "SECURITY.md", "Makefile", "pyproject.toml"),
)
SUFFIXES: Final = {".py", ".md", ".mjs", ".ts", ".tsx", ".sql", ".toml", ".graphql", ""}
NO_SOURCES: Final = {"node_modules", "gql", "baseline", "swagger-ui", "__pycache__", ".taskriver", "__generated__"}
"""Folders of generated, copied and released files."""
BUILT: Final = ("server/pages/board/", "server/pages/graphiql/", "server/pages/playground/")
RETIRED: Final = frozenset(
    {
        *("afresh", "anybody", "bell", "bells", "betray", "betrayed", "betrays", "chime", "chimed"),
        *("chimes", "crowd", "crowds", "discreet", "discretion", "door", "doors", "ear", "ears"),
        *("everybody", "hasty", "hear", "heard", "hearing", "hears", "house", "houses", "knock"),
        *("knocks", "lent", "overheard", "pulse", "shelf", "sight", "somebody", "stranger", "strangers"),
        *("telling", "tellings", "told", "whoever", "wish", "wishes"),
    }
)
ALLOWED: Final = {
    "benchmarks/full.py": {"afresh"},  # an option
    "benchmarks/growth.py": {"sight"},  # the name of a curve in stored results
    "cli/compat.py": {"told"},  # a key of --json
    "cli/doctor/finding.py": {"told"},  # a key of --json
    "cli/sample_texts.py": {"wish"},  # a title of a task
    "docs/operations.md": {"door", "told", "chimes"},  # metrics and fields of the log
    "observability/": {"door", "told", "chimes"},  # metrics and fields of the log
    "streaming/master_check.py": {"bell"},  # the name of a logger
    "streaming/notifier.py": {"bell"},  # the name of a logger
    "streaming/redis_errors.py": {"bell"},  # the name of a logger
    "tests/cli/test_compat.py": {"told"},  # a key of --json
    "tests/cli/conftest.py": {"told"},  # a key of --json
    "tests/e2e/test_serve.py": {"door", "told", "chimes"},  # metrics and fields of the log
    "tests/observability/": {"door"},  # metrics and fields of the log
    "tests/project_rules/test_vocabulary.py": RETIRED,
    "tests/streaming/test_notifier.py": {"bell"},  # the name of a logger
    "verification/compat/result.py": {"told"},  # a key of --json
}
"""Public names that stay, by place."""


def words_of(text: str) -> set[str]:
    """The words of a text in lower case; names are split at underscores, hyphens and capitals."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return {word.lower() for word in re.findall(r"[A-Za-z]+", split)}


def retired_words(name: str, text: str) -> set[str]:
    """The retired words in the name of a file and in its text, without those that are allowed there."""
    allowed = {word for place, words in ALLOWED.items() if name.startswith(place) for word in words}
    return (words_of(name) | words_of(text)) & RETIRED - allowed


def files() -> Iterator[Path]:
    """The sources, tests and documents of the project."""
    for place in PLACES:
        path = ROOT / place
        if path.is_file():
            yield path
        for folder, folders, names in os.walk(path):
            folders[:] = [each for each in folders if each not in NO_SOURCES]
            yield from (file for name in names if _is_source(file := Path(folder, name)))


def _is_source(file: Path) -> bool:
    return file.suffix in SUFFIXES and not file.relative_to(ROOT).as_posix().startswith(BUILT)


def test_no_retired_word_is_used():
    """Use the terms of docs/glossary.md, such as notifier, subscriber, delivered, request, visibility."""
    found = {}
    for file in files():
        name = file.relative_to(ROOT).as_posix()
        if words := retired_words(name, file.read_text(errors="replace")):
            found[name] = sorted(words)
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "def tell_crowd(): ...",
        "class TestBell: ...",
        "# Somebody waits.",
        "hasHeard",
        "isATold",
        "two-doors",
        "BELL_SECONDS = 1",
    ],
)
def test_a_retired_word_is_detected(text: str):
    """In identifiers of any style, in comments and in prose."""
    assert retired_words("services/task.py", text)


@pytest.mark.parametrize("text", ["doorbell_less", "nearest", "belly", "untold_ok", "shelving", "telltale"])
def test_other_words_are_allowed(text: str):
    """Only whole words count."""
    assert not retired_words("services/task.py", text)


def test_file_names_are_checked():
    """The path counts like the text."""
    assert retired_words("services/crowd.py", "") == {"crowd"}


def test_every_exception_is_needed():
    """A place that does not use its words any more has no exception."""
    names = {file.relative_to(ROOT).as_posix(): words_of(file.read_text(errors="replace")) for file in files()}
    unused = [
        (place, word)
        for place, words in ALLOWED.items()
        for word in words
        if not any(name.startswith(place) and word in found for name, found in names.items())
    ]
    assert unused == []
