"""Measurements beside the workloads: imports, the numbering of events, and the delays of deliveries."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.growth import curves
from benchmarks.imports import records, write_records
from benchmarks.listeners import GRAPHQL, ListenerGroup
from benchmarks.numbering import EVENTS, commit_events, events_for, number_all
from benchmarks.rewind import events_after
from benchmarks.subscribers import percentiles
from cli.transfer.columns import FIELDS, Columns
from cli.transfer.dates import DateReader
from cli.transfer.formats import READERS, Format, TextSource
from cli.transfer.task_record import read


class TestImport:
    def test_both_formats_have_the_same_tasks(self, tmp_path: Path):
        """The import accepts each of them, and most have an assignee."""
        found = {}
        for kind in Format:
            file = tmp_path / f"tasks.{kind}"
            write_records(file, 20)
            with file.open("rb") as source:
                text = TextSource.of(source, "utf-8")
                lines = list(READERS[kind](text, Columns()))
            now = datetime.now(UTC)
            found[kind] = [
                read(line.values, source=None, number=line.number, now=now, dates=DateReader()) for line in lines
            ]
        assert found[Format.CSV] == found[Format.JSONL]
        assert len({record.task.task_id for record in found[Format.CSV]}) == 20
        assert sum(record.assignee is not None for record in found[Format.CSV]) == 16

    def test_records_have_the_fields_of_an_export(self):
        """In its order."""
        assert list(next(islice(records(1), 1))) == list(FIELDS)

    def test_a_file_has_a_line_for_each_task(self, tmp_path: Path):
        """And CSV one with the names."""
        for name in ("a.csv", "a.jsonl"):
            write_records(tmp_path / name, 3)
        assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 3
        assert json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])["title"].startswith("Imported task 1 ")
        with (tmp_path / "a.csv").open(newline="") as rows:
            assert len(list(csv.reader(rows))) == 4


class TestNumbering:
    async def test_all_events_get_their_positions(self, new_database: Callable[[], str]):
        """In batches, the last of which is not full; each event can be read."""
        url = new_database()
        await commit_events(url, 250)
        assert await events_after(url, 0) == 250
        seconds, used = await number_all(url, 250, 100)
        assert used > 0
        assert seconds > 0

    async def test_missing_events_are_an_error(self, new_database: Callable[[], str]):
        """The rate of a part of the events would be wrong."""
        url = new_database()
        await commit_events(url, 5)
        with pytest.raises(RuntimeError, match="5 of 6 events"):
            await number_all(url, 6, 100)

    def test_small_batches_number_fewer_events(self):
        """A point of the curve takes seconds."""
        assert [events_for(batch) for batch in (1, 10, 500)] == [1_000, 10_000, EVENTS]


class TestDelays:
    def _group(self) -> ListenerGroup:
        now = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC).timestamp()
        group = ListenerGroup("subscription { a }", GRAPHQL, lambda: now)
        group.sockets = 1
        return group

    def test_a_timed_delivery_has_a_delay(self):
        """From the time of the change in the frame; the spelling of the JSON does not matter."""
        group = self._group()
        group.receive(b'{"updatedAt":"2026-01-01T00:00:00.500Z"}', timed=True)
        group.receive(b'{"updatedAt": "2026-01-01T01:00:03+01:00"}', timed=True)
        group.receive(b'{"updatedAt":"2026-01-01T00:00:00Z"}')
        assert group.received == 3
        assert group.delays == [4.5, 2.0]

    def test_percentiles_in_milliseconds(self):
        """Of at least twenty deliveries."""
        assert percentiles([number / 1_000 for number in range(19)]) == {}
        found = percentiles([number / 1_000 for number in range(101)])
        assert found == pytest.approx({"delivery_p50": 50.0, "delivery_p95": 95.0})


def test_all_curves_have_points_and_quantities():
    """Their names are those of stored results."""
    names = [curve.name for curve in curves()]
    assert len(set(names)) == len(names)
    assert {"tasks-W6", "workers-W6", "numbering", "backlog", "listeners"} <= set(names)
    by_name = {curve.name: curve for curve in curves()}
    assert by_name["tasks-W6"].points == (1_000, 10_000, 100_000, 1_000_000)
    assert by_name["workers-W6"].points == (1, 2)
    assert by_name["listeners"].points[-1] == 1_000
    assert [each.number for each in by_name["listeners"].shown] == ["p95", "delivery_p95", None]
