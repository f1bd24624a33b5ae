"""Hundreds of mutations, run by both executors in the same situation: the same answers, rows and events."""

import os

import pytest

from tests.graphql_api.compiler.oracle.coverage import Coverage
from tests.graphql_api.compiler.oracle.executor_pair import ExecutorPair
from tests.graphql_api.compiler.oracle.mutants import Mutant
from tests.graphql_api.compiler.oracle.mutation_mutants import MUTANTS
from tests.support.amount import cases

CASES = int(os.environ.get("ORACLE_DOCUMENTS", cases(1000))) * 14 // 25
LEAST = 560
"""Cases among which every kind of outcome is."""
PARTS = min(4, max(1, CASES // LEAST))
ENOUGH = 600


class TestRandomMutations:
    @pytest.mark.timeout(900 + 2 * CASES)
    @pytest.mark.parametrize("part", range(PARTS))
    async def test_both_executors_have_the_same_outcome(self, executor_pair: ExecutorPair, part: int):
        """For every sender and request; the requests cover every kind of outcome."""
        coverage = Coverage()
        for seed in range(part * CASES // PARTS, (part + 1) * CASES // PARTS):
            situation, case = executor_pair.case(seed)
            expected, found = await executor_pair.both(situation, case)
            assert found == expected, (seed, found.differences(expected), case)
            coverage.add(case, expected)

        assert coverage.missing() == [] or CASES < LEAST
        assert executor_pair.plans.compiled_count > executor_pair.plans.general_count


class TestTheOracleBites:
    @pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
    async def test_a_mistake_is_noticed(
        self, executor_pair: ExecutorPair, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
    ):
        """A compiled executor with a mistake in it differs in one of the first cases."""
        mutant.make(monkeypatch)

        assert await executor_pair.without_plans().differs(range(ENOUGH)) is not None, mutant.name
