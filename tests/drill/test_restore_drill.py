"""A backup restores to a point in time, and the drill notices when it does not."""

import pytest

from tests.drill.contents import differences
from tests.drill.restore_drill import END, RestoreDrill
from tests.support.figures import Figures
from tests.support.folders import server_folder


async def test_nothing_differs_after_a_recovery(figures: Figures):
    """All tables are as they were at the point; no client continues with a cursor from before the loss."""
    with server_folder("drill") as folder:
        steps = await RestoreDrill(folder).run()
    figures.note(f"restore drill: {sum(step.seconds for step in steps.steps):.1f} s")
    assert steps.problems == []
    assert len(steps.steps) == 16


async def test_a_recovery_to_another_point_is_noticed():
    """The rows of the changes that had to disappear are reported, by table."""
    with server_folder("drill") as folder:
        steps = await RestoreDrill(folder, point=END).run()
    tables = {problem.split(": ")[1] for problem in steps.problems if "unexpected" in problem}
    assert {"comments", "events", "labels", "memberships", "projects", "tasks", "trash", "users"} <= tables


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ({"tasks": ["a"]}, "tasks: 1 rows missing, 0 unexpected"),
        ({"tasks": ["a", "b", "b"]}, "tasks: 0 rows missing, 1 unexpected"),
        ({"tasks": ["a", "c"]}, "tasks: 1 rows missing, 1 unexpected"),
        ({}, "tasks: the table is missing"),
        ({"tasks": ["a", "b"], "other": []}, "other: the table is new"),
    ],
)
def test_differences_are_named(found: dict[str, list[str]], problem: str):
    """Rows that are missing, rows that are new, and whole tables."""
    expected = {"tasks": ["a", "b"]}
    assert differences(expected, found) == [problem]
    assert differences(expected, expected) == []
