"""Temporary folders for servers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server_folder(name: str) -> Iterator[Path]:
    """A temporary folder that the user of a server may pass through, but not list."""
    with tempfile.TemporaryDirectory(prefix=f"taskriver-{name}-") as path:
        folder = Path(path)
        folder.chmod(0o711)
        yield folder
