"""Short outages that no other test injects: nothing is lost, and each request succeeds if it is repeated."""

import pytest

from tests.outages.disks import NoDiskError
from tests.outages.measurement import measure
from tests.outages.outages import OUTAGES, Outage
from tests.outages.table import HEADS, PAGE, cells, page
from tests.support.figures import Figures

SECONDS = 2.0
NOT_TESTED_ELSEWHERE = ("full disk: tables", "full disk: WAL", "slow disk", "partition: all processes")
"""tests/chaos has the others."""


@pytest.mark.parametrize(
    "outage", [each for each in OUTAGES if each.name in NOT_TESTED_ELSEWHERE], ids=lambda each: each.name
)
async def test_nothing_is_lost(outage: Outage, figures: Figures):
    """And no client gets a resync: the history is the same."""
    try:
        measured = await measure(outage, SECONDS)
    except NoDiskError as missing:
        pytest.skip(str(missing))
    row = cells(measured)
    figures.note(f"{row[0]}: {row[2]}; with retries {row[3]}; {row[4]}")
    assert measured.problems == []
    assert measured.resyncs == 0


def test_the_table_has_all_outages():
    """In their order, with the texts that say what was injected and what to do."""
    table = PAGE.read_text().partition("<!-- measured -->")[2]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    assert rows[0] == list(HEADS)
    assert [(row[0], row[-1]) for row in rows[2:]] == [(each.name, each.advice) for each in OUTAGES]
    assert {row[5].partition(" ")[0] for row in rows[2:]} == {"0"}


def test_a_row_is_replaced():
    """By the one with the same name; the others stay."""
    width = len(HEADS) - 1
    text = page("Before\n<!-- measured -->\n<!-- end of measured -->\nAfter\n", [("upgrade", *"a" * width)], "Then.")
    text = page(text, [("dead Redis", *"b" * width)], "Now.")
    text = page(text, [("upgrade", *"c" * width)], "Now.")
    assert [line for line in text.splitlines() if line.startswith(("| upgrade", "| dead", "Now", "Then"))] == [
        f"| upgrade | {' | '.join('c' * width)} |",
        f"| dead Redis | {' | '.join('b' * width)} |",
        "Now.",
    ]
    assert text.startswith("Before\n")
    assert text.endswith("After\n")
