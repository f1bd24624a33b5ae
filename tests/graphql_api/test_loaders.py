"""Batches of rows that fields share without knowing of each other."""

import asyncio

import pytest

from graphql_api.loaders import Loader


async def _rows(keys: list[int]) -> list[str]:
    await asyncio.sleep(0)
    return [f"row {key}" for key in keys]


async def _field(loader: Loader[int, str], key: int) -> str:
    return await loader.load(key)


class TestLoader:
    async def test_a_cancelled_field_does_not_affect_another(self):
        """Another field that waits for the same row gets it."""
        loader: Loader[int, str] = Loader(_rows)
        ended, other = (asyncio.ensure_future(_field(loader, 1)) for _ in range(2))
        await asyncio.sleep(0)
        ended.cancel()

        assert await other == "row 1"
        assert await loader.load(1) == "row 1"
        with pytest.raises(asyncio.CancelledError):
            await ended

    async def test_a_failure_reaches_all_waiting_fields(self):
        """The next request tries again."""
        tries = []

        async def rows(keys: list[int]) -> list[str]:
            tries.append(keys)
            if len(tries) == 1:
                raise ConnectionError
            return await _rows(keys)

        loader: Loader[int, str] = Loader(rows)
        results = await asyncio.gather(*(_field(loader, 1) for _ in range(2)), return_exceptions=True)

        assert [type(each) for each in results] == [ConnectionError, ConnectionError]
        assert await loader.load(1) == "row 1"
        assert tries == [[1], [1]]
