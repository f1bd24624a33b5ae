"""Thousands of documents of all users in both executors: the same bytes, or the plan falls back to the general
executor.
"""

import os
from collections.abc import AsyncIterator, Callable

import pytest

from tests.graphql_api.compiler.oracle.dataset import Ground
from tests.graphql_api.compiler.oracle.generator import Sent
from tests.graphql_api.compiler.oracle.mutants import MUTANTS, Mutant
from tests.support.amount import cases
from tests.support.api import Api
from tests.support.api_server import an_api

DOCUMENTS = int(os.environ.get("ORACLE_DOCUMENTS", cases(1000)))
PARTS = 4
ENOUGH = 400


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """With a database of its own: tasks of other tests would take the places of those that differ."""
    async with an_api(new_database(), new_redis()) as api:
        yield api


@pytest.fixture(scope="module")
async def ground(api: Api) -> Ground:
    """The dataset."""
    return await Ground.prepared(api)


class TestRandomDocuments:
    @pytest.mark.timeout(900 + DOCUMENTS)
    @pytest.mark.parametrize("part", range(PARTS))
    async def test_both_executors_give_the_same_bytes(self, ground: Ground, part: int):
        """A plan may fall back only for invalid requests, also if what is invalid is below a null."""
        planned = 0
        for seed in range(part, DOCUMENTS, PARTS):
            actor, sent = ground.document(seed)
            operation = await ground.operation(sent)
            if operation is None:
                continue
            expected, answered = await ground.both(actor, operation)
            assert (answered or expected) == expected, (seed, actor.role, sent)
            may_fall_back = ground.is_wild(seed) or b'"errors":[' in expected
            assert answered is not None or may_fall_back, (seed, actor.role, sent)
            planned += answered is not None

        # Of a few documents, it can be chance that many are invalid.
        assert planned > DOCUMENTS / PARTS * (0.6 if DOCUMENTS >= 1000 else 0.4)


class TestTheOracleBites:
    @pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
    async def test_a_mistake_is_noticed(self, ground: Ground, mutant: Mutant, monkeypatch: pytest.MonkeyPatch):
        """A compiler with a mistake in it does not get through the first few hundred documents."""
        mutant.make(monkeypatch)

        assert await ground.differs(range(ENOUGH)), mutant.name


class TestGeneratedSource:
    async def test_generated_code_holds_no_text_of_a_client(self, ground: Ground):
        """Response names, type names and values are passed by reference."""
        strange = "import_os", "__class__", "None", "exec", "lambda_x"
        aliases = " ".join(f"{name}: username {name}2: role" for name in strange)
        operation = await ground.operation(Sent(f"{{ me {{ {aliases} }} }}", {}))
        assert operation is not None
        expected, answered = await ground.both(ground.actors[0], operation)

        assert answered == expected
        (made,) = operation.document.plans.values()
        source = made.steps["me"].made.project.__doc__
        assert not any(name in source.replace("None if", "").replace("return", "") for name in strange)
