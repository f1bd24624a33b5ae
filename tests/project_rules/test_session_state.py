"""Nothing stays in a session of the database after a transaction: behind a pooler the next one has another session."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("persistence", "services", "streaming", "graphql_api", "rest_api", "server", "observability", "cli")
DIRECT: Final = {
    "persistence/migrations.py": "the lock of migrations, which use DATABASE_DIRECT_URL",
}
"""Modules that need a session, and why."""
STATE: Final = re.compile(
    r"\bpg_(try_)?advisory_(un)?lock(_shared|_all)?\b"
    r"|^\s*(un)?listen\s+\S"
    r"|^\s*notify\s+\w+|\bpg_notify\b"
    r"|\bcreate\s+(local\s+|global\s+)?temp(orary)?\b"
    r"|\bset_config\b.*\bfalse\b"
    r"|^\s*set\s+(?!local\b)(session\s+)?[\w.]+\s*(=|to\b)"
    r"|^\s*(prepare|deallocate|discard)\s+\w+"
    r"|\bwith\s+hold\b",
    re.IGNORECASE | re.DOTALL,
)
CALLS: Final = re.compile(r"pg_(try_)?advisory_(un)?lock(_shared|_all)?|pg_notify|set_config")
"""Functions that SQLAlchemy's `func` can call."""


def is_state(statement: str) -> bool:
    """Whether one of the statements of a text leaves something in the session."""
    return any(STATE.search(part) for part in statement.split(";"))


def state_in(source: str) -> list[str]:
    """The texts and called functions in a module that leave something in the session. A sentence is no statement."""
    texts = _candidates(ast.parse(source))
    return [text for text in texts if is_state(text) and not text.rstrip().endswith(".")]


def _candidates(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Attribute) and CALLS.fullmatch(node.attr):
            yield node.attr


def test_no_module_leaves_something_in_the_session():
    """Except for those that have a session of their own. tests/pooler looks at real sessions."""
    found = {
        path.relative_to(ROOT).as_posix(): texts
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if (texts := state_in(path.read_text()))
    }
    assert found.keys() == DIRECT.keys()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock($1)",
        "LISTEN events",
        "SELECT pg_notify('events', '')",
        "CREATE TEMP TABLE found (id uuid)",
        "SET statement_timeout = 0",
        "set session lock_timeout to '1s'",
        "SELECT set_config('lock_timeout', '1s', false)",
        "BEGIN; SET work_mem = '1GB'",
        "PREPARE one AS SELECT 1",
        "DECLARE rows CURSOR WITH HOLD FOR SELECT 1",
    ],
)
def test_state_is_detected(text: str):
    """In texts, in f-strings and in SQLAlchemy's functions."""
    assert state_in(f"STATEMENT = {text!r}")
    assert state_in(f"STATEMENT = f{text + '{1}'!r}")


def test_a_function_of_sqlalchemy_is_detected():
    """It has no text."""
    assert state_in("connection.scalar(select(func.pg_try_advisory_lock(1)))")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT pg_advisory_xact_lock(1)",
        "SET LOCAL lock_timeout = '1s'",
        "SELECT set_config('lock_timeout', '1s', true)",
        "UPDATE tasks SET title = $1",
        "ALTER ROLE x SET lock_timeout = '1s'",
        "DECLARE rows CURSOR FOR SELECT 1",
    ],
)
def test_what_ends_with_the_transaction_is_allowed(text: str):
    """Or belongs to the role."""
    assert not state_in(f"STATEMENT = {text!r}")
