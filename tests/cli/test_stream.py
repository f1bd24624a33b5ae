"""`taskriver stream …`."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from persistence.database import Database
from tests.cli.conftest import Run


@pytest.fixture
def has_fingerprints(ask: Any) -> Callable[[], bool]:
    """Reads whether new cursors have fingerprints."""

    async def look(database: Database) -> bool:
        async with database.unit_of_work(None) as uow:
            return (await uow.events.head()).has_fingerprints

    return lambda: bool(ask(look))


@pytest.fixture
def epoch(ask: Any) -> Callable[[], str]:
    """Reads the epoch of the log."""

    async def look(database: Database) -> str:
        async with database.unit_of_work(None) as uow:
            return (await uow.events.head()).epoch

    return lambda: str(ask(look))


class TestResetEpoch:
    def test_with_yes_there_is_no_prompt(self, run: Run, database_url: str, epoch: Callable[[], str]):
        """Each call starts another epoch, and prints one line."""
        epochs = [epoch()]
        for _ in range(2):
            result = run("stream", "reset-epoch", "--yes", DATABASE_URL=database_url)
            assert (result.code, result.out, result.err) == (0, "A new epoch has started.\n", "")
            epochs.append(epoch())

        assert len(set(epochs)) == 3

    def test_without_a_terminal_yes_is_required(self, run: Run, database_url: str, epoch: Callable[[], str]):
        """Nothing is changed."""
        before = epoch()
        result = run("stream", "reset-epoch", DATABASE_URL=database_url)

        assert (result.code, result.refusal) == (1, "There is no terminal for the confirmation: use --yes.")
        assert epoch() == before

    @pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
    def test_at_a_terminal_it_asks_for_confirmation(
        self,
        run: Run,
        database_url: str,
        epoch: Callable[[], str],
        answer: str,
        code: int,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """Only after a yes is the epoch reset."""
        before = epoch()
        monkeypatch.setattr("cli.stream.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
        result = run("stream", "reset-epoch", stdin=f"{answer}\n".encode(), DATABASE_URL=database_url)

        assert result.code == code
        assert result.out.startswith("All existing stream cursors become invalid.")
        assert (epoch() != before) == (code == 0)


class TestCursorFormat:
    def test_it_is_chosen_for_all_processes(self, run: Run, database_url: str, has_fingerprints: Callable[[], bool]):
        """A new database starts with format 2."""
        found = [has_fingerprints()]
        for number in ("1", "2"):
            result = run("stream", "cursor-format", number, DATABASE_URL=database_url)
            assert (result.code, result.out, result.err) == (0, f"New stream cursors have format {number}.\n", "")
            found.append(has_fingerprints())

        assert found == [True, False, True]

    def test_there_are_two_formats(self, run: Run, database_url: str):
        """Another number is wrong usage."""
        result = run("stream", "cursor-format", "3", DATABASE_URL=database_url)

        assert result.code == 2
        assert "'3' is not one of '1', '2'" in result.refusal
