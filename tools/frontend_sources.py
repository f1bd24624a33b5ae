"""Lists the sources of a frontend page: `python3 tools/frontend_sources.py graphiql` prints digests and paths.

`tools/build-frontend` stores the list beside the built files, so that a test can detect outdated files.
"""

import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NO_SOURCES = {"node_modules", "gql", "test"}
"""Folders that are generated (packages, the types of documents), and tests."""
COMMON = (Path("frontend/common"), Path("clients/typescript/src"))


def sources(page: str) -> str:
    """One line per file, in the order of the paths: the digest (SHA-256) and the path from the repository's root."""
    places = [ROOT / "frontend" / page, *(ROOT / common for common in COMMON)]
    paths = sorted(path for place in places for path in _files(place))
    return "".join(f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT).as_posix()}\n" for path in paths)


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return [path for path in place.rglob("*") if path.is_file() and not NO_SOURCES & set(path.relative_to(ROOT).parts)]


if __name__ == "__main__":
    sys.stdout.write(sources(sys.argv[1]))
