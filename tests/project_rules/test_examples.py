"""The examples are small enough to be read in one go, and build on the client package."""

import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("urql", "apollo", "python")
NOT_CODE = re.compile(r"\s*(//|/?\*|#|$)")
MADE = {"node_modules", "gql", ".venv", "dist"}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_small(name: str):
    """Under 300 lines of code, with shared code."""
    places = [EXAMPLES / name] if name == "python" else [EXAMPLES / name / "src", EXAMPLES / "common"]
    sources = [path for place in places for path in place.rglob("*") if path.suffix in {".ts", ".tsx", ".py"}]
    lines = [line for path in sources if not MADE & set(path.parts) for line in path.read_text().splitlines()]
    assert 80 < sum(not NOT_CODE.match(line) for line in lines) < 300


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_of_an_example_is_short(name: str):
    """It fits on a screen and says how to start the example."""
    lines = (EXAMPLES / name / "README.md").read_text().splitlines()
    assert "## Start" in lines
    assert len(lines) <= 30


def test_pages_use_the_client_package():
    """They have no session, stream or requests of their own."""
    for name in NAMES[:2]:
        assert "@taskriver/client" in (EXAMPLES / name / "src/api.ts").read_text()
        sources = [path for place in (EXAMPLES / name / "src", EXAMPLES / "common") for path in place.rglob("*.ts*")]
        code = "".join(path.read_text() for path in sources if not MADE & set(path.parts))
        assert not re.search(r"\bfetch\(|new WebSocket|graphql-ws|refreshToken", code)
