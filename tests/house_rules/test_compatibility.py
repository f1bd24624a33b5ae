"""Nobody's client breaks by surprise: the schema is compared with that of the last release."""

import re
import subprocess
from pathlib import Path

from graphql import build_schema, find_breaking_changes

ROOT = Path(__file__).parents[2]


def released() -> str | None:
    """The schema of the last tagged version, or None before the first one."""
    tag = _git("describe", "--tags", "--abbrev=0", "--match", "v*")
    return _git("show", f"{tag}:schema.graphql") if tag else None


def breaking(old: str, new: str) -> list[str]:
    """What a client of the old schema could stumble over in the new one, but for what was deprecated before."""
    before = build_schema(old)
    return [
        change.description
        for change in find_breaking_changes(before, build_schema(new))
        if not _was_deprecated(old, change.description)
    ]


def _was_deprecated(old: str, description: str) -> bool:
    named = re.search(r"(\w+)\.(\w+)", description)
    if named is None:
        return False
    kind, field = named.groups()
    found = build_schema(old).type_map.get(kind)
    return bool(getattr(getattr(found, "fields", {}).get(field), "deprecation_reason", None))


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def test_the_schema_breaks_nothing_of_the_last_release():
    """What the last release promised still holds, unless it was deprecated there."""
    now = (ROOT / "schema.graphql").read_text()
    assert breaking(released() or now, now) == []


def test_the_comparison_bites():
    """A field that vanishes is noticed, one that was deprecated before may go, and additions are welcome."""
    old = 'type Query { a: Int b: Int @deprecated(reason: "Use a.") }'
    assert breaking(old, "type Query { a: Int c: Int }") == []
    assert breaking(old, 'type Query { c: Int b: Int @deprecated(reason: "Use a.") }') == ["Field Query.a was removed."]
    assert breaking(old, 'type Query { a: String b: Int @deprecated(reason: "Use a.") }') != []
