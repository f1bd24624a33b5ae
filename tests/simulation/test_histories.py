"""Random histories: nothing is lost, doubled, or delivered to users without the right; and mutants are detected."""

import subprocess
import sys

import pytest

from tests.simulation.decoding_mutants import DECODING_MUTANTS
from tests.simulation.failover_mutants import FAILOVER_MUTANTS
from tests.simulation.histories import live, read, run_many
from tests.simulation.membership_mutants import MEMBERSHIP_MUTANTS
from tests.simulation.mutants import MUTANTS as OTHER_MUTANTS
from tests.simulation.world import World

MUTANTS = OTHER_MUTANTS | MEMBERSHIP_MUTANTS | FAILOVER_MUTANTS | DECODING_MUTANTS
PATIENCE = 4_000
"""Histories in which each mutant must be noticed; most are in the first ten, the rarest in the first 1,400.

Without a mutant, every guarantee holds in all of them. `make simulate` has more.
"""
HISTORIES = 500
"""A test; so many tests of them, for as many processes as there are to share."""
PARTS = PATIENCE // HISTORIES


class TestHistories:
    @pytest.mark.parametrize("first", [part * HISTORIES for part in range(PARTS)])
    def test_every_guarantee_holds(self, first: int):
        """In every history, with losses, delays, freezes, disconnects, restores and revocations."""
        outcome = run_many(first, HISTORIES)

        assert outcome.seed is None, outcome

    def test_frames_are_delivered_in_both_ways(self):
        """Histories have direct deliveries and deliveries by the waiting task."""
        worlds = [World(seed) for seed in range(20)]
        for world in worlds:
            live(world)

        assert 0 < sum(world.at_once for world in worlds) < sum(world.frames for world in worlds)

    def test_a_seed_gives_one_history(self):
        """Step by step, also in another process."""
        delivered: list[str] = []
        read(41, delivered.append)
        again = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "41"], capture_output=True, text=True, check=True
        )

        assert again.stdout.splitlines()[:-1] == delivered


class TestMutants:
    @pytest.mark.parametrize("name", MUTANTS)
    def test_a_broken_part_is_noticed(self, name: str, monkeypatch: pytest.MonkeyPatch):
        """Each way to get it wrong breaks a promise in one of few histories."""
        for owner, attribute, wrong in MUTANTS[name]:
            monkeypatch.setattr(owner, attribute, wrong)

        assert run_many(0, PATIENCE).seed is not None
