"""Batches of rows that fields share without knowing of each other."""

import asyncio
from typing import Any

import pytest
from graphql import build_schema, execute, parse

from graphql_api.loaders import Loader
from graphql_api.pace import Pace

SCHEMA = build_schema("""
    type Query { failing: Thing working: Thing }
    type Thing { required: Int! row: String }
""")


async def _rows(keys: list[int]) -> list[str]:
    await asyncio.sleep(0)
    return [f"row {key}" for key in keys]


async def _field(loader: Loader[int, str], key: int) -> str:
    return await loader.load(key)


class TestLoader:
    async def test_a_cancelled_field_does_not_affect_another(self):
        """Another field that waits for the same row gets it."""
        loader: Loader[int, str] = Loader(_rows, Pace())
        ended, other = (asyncio.ensure_future(_field(loader, 1)) for _ in range(2))
        await asyncio.sleep(0)
        ended.cancel()

        assert await other == "row 1"
        assert await loader.load(1) == "row 1"
        with pytest.raises(asyncio.CancelledError):
            await ended

    async def test_a_batch_has_the_keys_of_a_whole_list(self):
        """It is not read while a list is partly complete."""
        pace, batches = Pace(), []

        async def rows(keys: list[int]) -> list[str]:
            batches.append(keys)
            return await _rows(keys)

        loader: Loader[int, str] = Loader(rows, pace)
        found = []
        with pace.completing_list():
            for key in range(3):
                found.append(loader.load(key))
                await asyncio.sleep(0.01)
        assert await asyncio.gather(*found) == ["row 0", "row 1", "row 2"]
        assert batches == [[0, 1, 2]]

    async def test_a_failure_reaches_all_waiting_fields(self):
        """The next request tries again."""
        tries = []

        async def rows(keys: list[int]) -> list[str]:
            tries.append(keys)
            if len(tries) == 1:
                raise ConnectionError
            return await _rows(keys)

        loader: Loader[int, str] = Loader(rows, Pace())
        results = await asyncio.gather(*(_field(loader, 1) for _ in range(2)), return_exceptions=True)

        assert [type(each) for each in results] == [ConnectionError, ConnectionError]
        assert await loader.load(1) == "row 1"
        assert tries == [[1], [1]]

    async def test_a_failed_field_affects_no_field_with_the_same_key(self):
        """graphql-core cancels the fields beside a failed non-null field. Another field still gets the same row."""
        requested, cancelled = asyncio.Event(), asyncio.Event()

        async def rows(keys: list[int]) -> list[str]:
            requested.set()
            await cancelled.wait()
            return await _rows(keys)

        class Thing:
            """An object with two fields; `required` fails while its row is being read."""

            async def required(self, info: Any) -> int:
                await requested.wait()
                raise ValueError("no value")

            async def row(self, info: Any) -> str:
                try:
                    return await loader.load(1)
                except asyncio.CancelledError:
                    cancelled.set()
                    raise

        loader: Loader[int, str] = Loader(rows, Pace())
        document = parse("{ failing { required row } working { row } }")
        root = {"failing": Thing(), "working": Thing()}
        running = execute(SCHEMA, document, root)
        assert asyncio.iscoroutine(running)
        result = await running

        assert result.data == {"failing": None, "working": {"row": "row 1"}}
        assert [error.path for error in result.errors or ()] == [["failing", "required"]]
