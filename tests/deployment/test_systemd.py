"""The units of systemd fit the server, and the backup script writes complete dumps."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from embedded.accounts import account_for
from embedded.binaries import find_postgres
from server.app import DRAIN_SECONDS
from server.settings import Settings
from tests.project_rules.test_deployment import commands, settings_from

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/systemd"
PAGE = (ROOT / "docs/deployment/systemd.md").read_text()
UNITS = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".service", ".timer"))
PROGRAM = "/opt/taskriver/bin/taskriver"
units = pytest.mark.parametrize("name", UNITS)


class Directives(dict[str, list[str]]):
    """The values of each directive of a unit, in their order."""

    @classmethod
    def read(cls, name: str) -> "Directives":
        """The directives of a file."""
        found = cls()
        for line in (FOLDER / name).read_text().splitlines():
            if "=" in line and not line.startswith("#"):
                key, _, value = line.partition("=")
                found.setdefault(key, []).append(value)
        return found


def test_the_commands_exist():
    """The units run commands of Taskriver, and the script of this folder, by the paths of the page."""
    started = {command for name in UNITS for command in Directives.read(name).get("ExecStart", [])}
    assert started == {f"{PROGRAM} serve", f"{PROGRAM} migrate", "/usr/local/lib/taskriver/taskriver-backup"}
    assert {"serve", "migrate"} <= commands()
    for command in started:
        assert command.split()[0] in PAGE


def test_the_server_has_time_to_stop():
    """Systemd kills it only after its shutdown time."""
    seconds = int(Directives.read("taskriver.service")["TimeoutStopSec"][0])
    assert seconds >= Settings.model_fields["shutdown_seconds"].default + DRAIN_SECONDS + 5


def test_migrations_run_before_the_server():
    """And have more time than they wait for locks."""
    server, migration = Directives.read("taskriver.service"), Directives.read("taskriver-migrate.service")
    assert "taskriver-migrate.service" in server["After"][0].split()
    assert "taskriver-migrate.service" in server["Wants"][0].split()
    assert migration["Type"] == ["oneshot"]
    assert migration["EnvironmentFile"] == server["EnvironmentFile"]  # with DATABASE_DIRECT_URL, behind a pooler
    minutes = int(migration["TimeoutStartSec"][0].removesuffix("min"))
    assert 60 * minutes > Settings.model_fields["migration_patience_seconds"].default


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_services_have_few_privileges(name: str):
    """They run as the user of the page, gain nothing, and write to nothing that the system needs."""
    directives = Directives.read(name)
    assert directives["User"] == directives["Group"] == ["taskriver"]
    assert directives["CapabilityBoundingSet"] == [""]
    assert directives["NoNewPrivileges"] == directives["ProtectHome"] == directives["PrivateTmp"] == ["yes"]
    assert directives["ProtectSystem"] == ["strict"]
    assert set(directives.get("ReadWritePaths", [])) <= {"/var/backups/taskriver"}


def test_the_settings_of_the_page_are_fit_for_production(monkeypatch: pytest.MonkeyPatch):
    """Each is a setting, and nothing required is missing."""
    text = PAGE.partition("taskriver.env <<END\n")[2].partition("   END")[0]
    filled = text.replace("$password", "x" * 48).replace("$(openssl rand -hex 48)", "y" * 96).replace("$(nproc)", "2")
    settings = settings_from(dict(re.findall(r"^ +(\w+)=(.*)$", filled, re.MULTILINE)), monkeypatch)
    assert settings.is_production
    assert settings.trusted_proxies
    assert settings.workers == 2


@units
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_accepts_the_units(name: str, tmp_path: Path):
    """Without a warning about a directive that it does not know."""
    for unit in UNITS:
        text = (FOLDER / unit).read_text()
        (tmp_path / unit).write_text(re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / name)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "taskriver" in line]
    assert (done.returncode, complaints) == (0, [])


@pytest.fixture
def backup(tmp_path: Path, new_database) -> dict[str, str]:
    """The environment of the script: a database with tables, and a folder for the dumps."""
    url = re.fullmatch(r"postgresql\+asyncpg://(\w+):(\w+)@([\d.]+):(\d+)/(\w+)", new_database())
    assert url is not None
    names = ("PGUSER", "PGPASSWORD", "PGHOST", "PGPORT", "PGDATABASE")
    programs = find_postgres(account_for()).folder
    (tmp_path / "dumps").mkdir()
    return {
        **dict(zip(names, url.groups(), strict=True)),
        "PATH": f"{programs}:{os.defpath}",
        "BACKUP_FOLDER": str(tmp_path / "dumps"),
        "KEEP_DAYS": "14",
    }


def run_backup(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script as systemd does."""
    return subprocess.run(
        [str(FOLDER / "taskriver-backup")], env=environment, capture_output=True, text=True, check=False
    )


def test_a_backup_replaces_old_ones(backup: dict[str, str]):
    """The dump is complete and private, and dumps that are older than KEEP_DAYS are removed."""
    folder = Path(backup["BACKUP_FOLDER"])
    old, other = folder / "taskriver-2026-01-01T020000Z.dump", folder / "notes.txt"
    for file in (old, other):
        file.touch()
        os.utime(file, (0, 0))
    done = run_backup(backup)
    assert done.returncode == 0, done.stderr
    (dump,) = folder.glob("*.dump")
    assert dump != old
    assert dump.stat().st_mode & 0o077 == 0
    assert other.exists()
    assert done.stdout == f"The backup is in {dump}.\n"


def test_a_failed_backup_keeps_the_old_ones(backup: dict[str, str]):
    """It leaves no incomplete dump behind, says why, and shows no password."""
    old = Path(backup["BACKUP_FOLDER"]) / "taskriver-2026-01-01T020000Z.dump"
    old.touch()
    os.utime(old, (0, 0))
    done = run_backup(backup | {"PGDATABASE": "missing"})
    assert done.returncode != 0
    assert "missing" in done.stderr
    assert backup["PGPASSWORD"] not in done.stderr
    assert list(Path(backup["BACKUP_FOLDER"]).iterdir()) == [old]
