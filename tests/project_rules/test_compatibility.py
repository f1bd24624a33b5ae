"""The schema is compared with that of the last release: a client of that release must not break unannounced.

`baseline/` holds the released schema, its version and its commit. A release replaces both files, and empties ACCEPTED.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from graphql import (
    BreakingChangeType,
    DangerousChangeType,
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
)

ROOT: Final = Path(__file__).parents[2]
BASELINE: Final = Path(__file__).parent / "baseline"
CHANGELOG: Final = (ROOT / "CHANGELOG.md").read_text()

ACCEPTED: Final[dict[str, str]] = {}
"""Each difference that can break a client, and the words of the unreleased part of CHANGELOG.md that announce it."""

_ROOT_TYPES: Final = {"public": 0, "signedIn": 1, "session": 1, "admin": 2}
"""The directives of permissions, and how narrow they are. The last release has no tokens, only sessions."""
_DANGEROUS: Final = {DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE}
"""Changes that graphql-core calls dangerous, and that change what an unchanged request means."""


def breaking(old: str, new: str) -> list[str]:
    """What a client of the old schema could stumble over in the new one, but for what was deprecated before."""
    before, after = build_schema(old), build_schema(new)
    found = [
        change.description
        for change in find_breaking_changes(before, after)
        if not (change.type in _REMOVALS and _was_deprecated(before, change.description))
    ]
    dangerous = (change.description for change in find_dangerous_changes(before, after) if change.type in _DANGEROUS)
    return [*found, *dangerous, *_narrowed(before, after)]


_REMOVALS: Final = {
    BreakingChangeType.FIELD_REMOVED,
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
    BreakingChangeType.ARG_REMOVED,
}


def _was_deprecated(schema: GraphQLSchema, description: str) -> bool:
    """Whether the field, argument or enum value that a description begins with was deprecated."""
    named = re.search(r"(\w+)\.(\w+)(?:\((\w+):\))?", description)
    if named is None:
        return False
    kind, name, argument = named.groups()
    owner: Any = schema.type_map[kind]
    found = owner.values[name] if isinstance(owner, GraphQLEnumType) else owner.fields[name]
    return (found.args[argument] if argument else found).deprecation_reason is not None


def _narrowed(before: GraphQLSchema, after: GraphQLSchema) -> Iterator[str]:
    """Root fields with a stricter permission."""
    were, are = _root_types(before), _root_types(after)
    for name in were.keys() & are.keys():
        if _ROOT_TYPES[are[name]] > _ROOT_TYPES[were[name]]:
            yield f"{name} has changed from @{were[name]} to @{are[name]}."


def _root_types(schema: GraphQLSchema) -> dict[str, str]:
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    fields = (
        (f"{root.name}.{name}", field)
        for root in roots
        if isinstance(root, GraphQLObjectType)
        for name, field in root.fields.items()
    )
    return {
        name: root_type for name, field in fields if field.ast_node for root_type in _names(field.ast_node.directives)
    }


def _names(directives: Any) -> list[str]:
    return [directive.name.value for directive in directives or () if directive.name.value in _ROOT_TYPES]


def released() -> list[str]:
    """The versions in CHANGELOG.md, the newest first."""
    return re.findall(r"^## \[?(\d+\.\d+\.\d+)", CHANGELOG, re.MULTILINE)


def test_nothing_of_the_last_release_breaks_unannounced():
    """ACCEPTED has all breaking differences, and no others."""
    found = breaking((BASELINE / "schema.graphql").read_text(), (ROOT / "schema.graphql").read_text())
    assert sorted(found) == sorted(ACCEPTED)


def test_breaking_differences_are_in_the_changelog():
    """The reason of each is in the unreleased part of CHANGELOG.md."""
    unreleased = " ".join(CHANGELOG.partition("\n## Unreleased\n")[2].partition("\n## ")[0].split())
    assert {each for each in ACCEPTED.values() if each not in unreleased} == set()


def test_the_baseline_is_the_last_release():
    """A release replaces it: the version is that of the newest heading, and the commit is a full hash."""
    release = json.loads((BASELINE / "release.json").read_text())
    assert release["version"] == released()[0]
    assert re.fullmatch(r"[0-9a-f]{40}", release["commit"])


OLD: Final = """
    directive @public on FIELD_DEFINITION
    directive @signedIn on FIELD_DEFINITION
    directive @admin on FIELD_DEFINITION
    type Query {
      a(first: Int = 20, old: Int @deprecated(reason: "Use first.")): E @public
      b: Int @deprecated(reason: "Use a.")
    }
    enum E { X Y @deprecated(reason: "Use X.") }
    input I { x: Int }
"""


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ("b: Int", "c: Int b: Int", []),
        ('b: Int @deprecated(reason: "Use a.")', "", []),
        ('Y @deprecated(reason: "Use X.")', "", []),
        (', old: Int @deprecated(reason: "Use first.")', "", []),
        ("b: Int", "b: String", ["Field Query.b changed type from Int to String."]),
        ("b: Int", "b: [Int]", ["Field Query.b changed type from Int to [Int]."]),
        ("E { X", "E {", ["Enum value E.X was removed."]),
        ("x: Int", "x: Int!", ["Field I.x changed type from Int to Int!."]),
        ("x: Int", "x: Int y: Int!", ["A required field I.y was added."]),
        ("first: Int = 20", "first: Int = 10", ["Query.a(first:) has changed defaultValue from 20 to 10."]),
        ("first: Int = 20,", "", ["Argument Query.a(first:) was removed."]),
        ("): E @public", "): E @signedIn", ["Query.a has changed from @public to @signedIn."]),
    ],
)
def test_a_breaking_change_is_detected(was: str, becomes: str, expected: list[str]):
    """Additions and removals of deprecated parts are no breaking changes."""
    assert OLD.count(was) == 1
    assert breaking(OLD, OLD.replace(was, becomes)) == expected


def test_a_field_that_vanishes_from_the_schema_is_noticed():
    """The baseline is what is compared: a field of it that is not there any more is found."""
    now = (ROOT / "schema.graphql").read_text()
    renamed = now.replace("  viewerCanDelete: Boolean!\n", "  mayDelete: Boolean!\n")
    assert renamed != now
    found = breaking((BASELINE / "schema.graphql").read_text(), renamed)
    assert "Field Task.viewerCanDelete was removed." in found
