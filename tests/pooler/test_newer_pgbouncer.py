"""Without a source of packages, the newer PgBouncer is left out with one line."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support import newer_pgbouncer


def test_the_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """On a machine without apt-get. Nothing fails."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    status = newer_pgbouncer.main()

    assert (newer_pgbouncer.find(), status, capsys.readouterr().out) == (None, 0, f"{newer_pgbouncer.MISSING}\n")
