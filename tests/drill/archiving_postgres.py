"""A PostgreSQL that archives its WAL, and that can be restored from a base backup to a named point."""

import shutil
import subprocess
from pathlib import Path

from embedded.accounts import OSAccount, account_for
from embedded.errors import EmbeddedError
from embedded.postgres import Postgres
from embedded.processes import run

_TIMEOUT_SECONDS = 120.0


class ArchivingPostgres(Postgres):
    """*archive* is created. The user of the server must be able to reach it and the folder of a backup."""

    def __init__(self, folder: Path, archive: Path) -> None:
        super().__init__(folder)
        self.archive = archive
        self._target: str | None = None

    def base_backup(self, folder: Path) -> None:
        """Create a base backup in a new folder, and verify it against its manifest.

        Raises:
            EmbeddedError: one of the two commands fails.
        """
        _own_folder(folder)
        self._run("pg_basebackup", f"--pgdata={folder}", "--checkpoint=fast", "--no-password")
        self._run("pg_verifybackup", "--quiet", str(folder))

    def lose(self) -> None:
        """Kill the server and delete its data directory. What was not archived is lost."""
        self.kill()
        shutil.rmtree(self.data)

    def restore(self, backup: Path, point: str) -> None:
        """Start from a base backup, recover to a named restore point, and wait until the server accepts changes.

        Raises:
            EmbeddedError: the server does not start, for example because the archive does not have the point.
        """
        _copy(backup, self.data)
        signal_file = self.data / "recovery.signal"
        signal_file.touch(mode=0o600)
        account_for(backup).give(signal_file)
        self._target = point
        self.start()

    def _prepare(self) -> None:
        if not self.archive.exists():
            _own_folder(self.archive)
        super()._prepare()

    def _settings(self) -> dict[str, str]:
        archiving = {
            "wal_level": "replica",
            "max_wal_senders": "4",
            "archive_mode": "on",
            # As on docs/deployment/restore.md. After a crash, PostgreSQL archives a file again: the same content.
            "archive_command": f'cp "%p" "{self.archive}/%f.part" && mv "{self.archive}/%f.part" "{self.archive}/%f"',
        }
        return super()._settings() | archiving | self._recovery_settings()

    def _recovery_settings(self) -> dict[str, str]:
        """Used only while recovery.signal is in the data directory."""
        if self._target is None:
            return {}
        return {
            "restore_command": f'cp "{self.archive}/%f" "%p"',
            "recovery_target_name": self._target,
            "recovery_target_action": "promote",
        }

    def _run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL as the user of the server."""
        command = [str(self._programs.folder / program), *arguments]
        try:
            done = run(command, self._account, seconds=_TIMEOUT_SECONDS, environment=self._libpq_environment())
        except subprocess.TimeoutExpired as silence:
            raise EmbeddedError(f"{program} did not end within {_TIMEOUT_SECONDS:.0f} s.") from silence
        if done.returncode != 0:
            raise EmbeddedError(f"{program} failed: {done.stderr.strip()}")


def _own_folder(folder: Path) -> None:
    """Create a folder for the user of the server alone."""
    folder.mkdir(mode=0o700)
    account_for().give(folder)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with the owners and the modes of its files."""
    done = run(["cp", "-a", str(source), str(target)], OSAccount(), seconds=_TIMEOUT_SECONDS)
    if done.returncode != 0:
        raise EmbeddedError(f"The backup cannot be copied: {done.stderr.strip()}")
