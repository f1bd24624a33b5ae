"""Thousands of documents, asked in both ways by everybody: the same bytes, or the plan leaves it to the general way."""

import os

import pytest

from tests.graphql_api.execution.oracle.ground import Ground
from tests.support.api import Api

DOCUMENTS = int(os.environ.get("ORACLE_DOCUMENTS", "1000"))
PARTS = 4


@pytest.fixture(scope="module")
async def ground(api: Api) -> Ground:
    """The house."""
    return await Ground.prepared(api)


class TestRandomDocuments:
    @pytest.mark.timeout(60 + DOCUMENTS)
    @pytest.mark.parametrize("part", range(PARTS))
    async def test_both_ways_answer_alike(self, ground: Ground, part: int):
        """What a plan answers is to the byte what the general executor answers; only what is wrong is left to that."""
        planned = 0
        for seed in range(part, DOCUMENTS, PARTS):
            actor, sent = ground.document(seed)
            operation = ground.operation(sent)
            if operation is None:
                continue
            told, answered = await ground.both(actor, operation)
            assert (answered or told) == told, (seed, actor.role, sent)
            assert answered is not None or b'"errors":[' in told, (seed, actor.role, sent)
            planned += answered is not None

        assert planned > DOCUMENTS / PARTS * 0.6
