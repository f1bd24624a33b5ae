"""The folder of a cluster."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.chaos.process import PROJECT

LOGS: Final = PROJECT / ".taskriver" / "ha-logs"


@contextmanager
def run_folder() -> Iterator[Path]:
    """A temporary folder; the logs in it are kept until the next cluster."""
    with tempfile.TemporaryDirectory(prefix="taskriver-ha-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # the servers run as another user
        try:
            yield Path(name)
        finally:
            LOGS.mkdir(parents=True, exist_ok=True)
            for log in Path(name).glob("*.log"):
                shutil.copy(log, LOGS)
