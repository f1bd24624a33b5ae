"""The documentation of the settings is true."""

from dataclasses import asdict
from pathlib import Path

from graphql_api.execution.execution_context import MAX_FAILED_FIELDS
from graphql_api.execution.limits import Limits
from graphql_api.execution.request import MAX_VALUES
from server.settings import Settings

ROOT = Path(__file__).parents[2]


def shown(value: object) -> str:
    """A default as the table shows it."""
    if value is None or value == ():
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "development only"
    return f"`{value}`" if str(value) else "–"


def rows() -> list[str]:
    """The table's rows as the code wants them."""
    return [
        f"| `{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def test_the_table_of_settings_is_complete_and_true():
    """docs/settings.md has one row for every setting, with its default and what it does, in the code's order."""
    written = [line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("| `")]
    assert written == rows()


LIMITS = {
    "max_depth": "{:,} levels",
    "max_tokens": "{:,} tokens",
    "max_aliases": "{:,} aliases",
    "max_cost": "cost {:,}",
    "max_characters": "{:,} characters",
    "max_overlap": "{:,} pairs of fields",
    "max_directives": "{:,} directives",
    "max_fragments": "{:,} fragments",
    "max_operations": "{:,} operations",
    "max_variables": "{:,} variables",
    "max_fields": "{:,} fields",
}


def test_the_limits_of_documents_are_documented():
    """docs/schema-conventions.md has the number of each, and where settings can change them they have it as default."""
    text = " ".join((ROOT / "docs/schema-conventions.md").read_text().split())
    limits = asdict(Limits())
    expected = [LIMITS[name].format(number) for name, number in limits.items()]
    expected += [f"{MAX_VALUES:,} values in its variables", f"{MAX_FAILED_FIELDS} fields that fail"]
    configured = {name: field.default for name, field in Settings.model_fields.items() if name.startswith("query_max_")}

    assert [each for each in expected if each not in text] == []
    assert configured.items() <= {f"query_{name}": number for name, number in limits.items()}.items()


def test_the_example_names_every_setting_that_production_needs():
    """.env.example names only settings that exist, and all that production refuses to start without."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    names = {line.lstrip("# ").partition("=")[0] for line in lines if "=" in line and line.lstrip("# ")[:1].isupper()}
    assert names <= {name.upper() for name in Settings.model_fields}
    assert {"ENVIRONMENT", "DATABASE_URL", "REDIS_URL", "SECRET_KEYS"} <= names
