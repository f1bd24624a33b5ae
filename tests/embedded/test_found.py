"""`found`: the servers that another process runs in a folder, for whoever comes to the same folder."""

from pathlib import Path

from embedded import found, running


def test_while_they_run_they_are_found(folder: Path) -> None:
    """As long as they run, their URLs are those that whoever started them knows; before and after there are none."""
    before = found(folder)
    with running(folder, durable=False) as servers:
        meanwhile = found(folder)

    assert before is None
    assert meanwhile == servers
    assert found(folder) is None


def test_where_there_is_nothing(tmp_path: Path) -> None:
    """A folder that is not there has no servers, and is not made."""
    assert found(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()
