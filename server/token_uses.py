"""Stores when personal access tokens were used, beside the requests."""

import asyncio
from typing import Final

from graphql_api.auth.token_uses import TokenUses
from persistence.database import Database
from services import access_token as access_token_service
from streaming.asyncio_helpers import run_forever

GATHERING_SECONDS: Final = 1.0
"""Uses within this time are stored together."""


async def store_token_uses(database: Database, uses: TokenUses) -> None:
    """Store the uses as they are noted, until cancelled."""

    async def step() -> None:
        await uses.wait()
        await asyncio.sleep(GATHERING_SECONDS)
        token_ids = uses.take()
        try:
            await access_token_service.note_use(database.unit_of_work(None), token_ids=token_ids)
        except BaseException:
            uses.put_back(token_ids)
            raise

    await run_forever(step, "storing the use of personal access tokens")
