"""The import contracts cover every package of the product."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]
SHIPPED = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def lines_of(package: str) -> int:
    """How many lines of Python a package has."""
    return sum(len(file.read_text().splitlines()) for file in (ROOT / package).rglob("*.py"))


def test_every_shipped_package_is_checked():
    """import-linter knows all packages of the wheel; Alembic loads migrations by their path."""
    assert set(CONTRACTS["root_packages"]) == SHIPPED - {"migrations"}


def test_every_package_has_its_place():
    """The layers list every package, except the two that import nothing of the product but the domain."""
    layers = CONTRACTS["contracts"][0]["layers"]
    listed = {package for layer in layers for package in layer.replace("|", " ").split()}
    assert listed == SHIPPED - {"migrations", "embedded", "verification"}


def test_no_package_holds_more_than_a_third():
    """The product is what runs on a server: without the private servers of the first run and the checker."""
    sizes = {package: lines_of(package) for package in SHIPPED - {"embedded", "verification"}}
    assert max(sizes.values()) <= sum(sizes.values()) / 3, sizes
