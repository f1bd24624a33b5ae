"""`found`: the servers that another process runs in a folder."""

from pathlib import Path

from embedded import found, running


def test_running_servers_are_found(folder: Path) -> None:
    """Their URLs are found only while they run."""
    before = found(folder)
    with running(folder, durable=False) as servers:
        meanwhile = found(folder)

    assert before is None
    assert meanwhile == servers
    assert found(folder) is None


def test_a_missing_folder_has_no_servers(tmp_path: Path) -> None:
    """It is not created."""
    assert found(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()
