"""Garbage collections of a process with many sockets: how much they examine, and that cycles are still freed."""

import gc
from collections.abc import AsyncIterator

import pytest

from server import garbage
from server.garbage import FROZEN_AT_ONCE, GarbageCollection


class Cycle:
    """An object that only the collector can free."""

    alive = 0

    def __init__(self) -> None:
        self.me = self
        Cycle.alive += 1

    def __del__(self) -> None:
        Cycle.alive -= 1


class Sockets:
    """The open sockets."""

    number = 0

    def count(self) -> int:
        return self.number


@pytest.fixture
def sockets() -> Sockets:
    """None is open."""
    return Sockets()


@pytest.fixture
async def collection(sockets: Sockets) -> AsyncIterator[GarbageCollection]:
    """The collection of this process; automatic collections are off, so that the test makes all of them."""
    thresholds, Cycle.alive = gc.get_threshold(), 0
    collection = GarbageCollection(sockets.count)
    collection.start()
    gc.disable()
    yield collection
    collection.stop()
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    gc.enable()


def many() -> list[list[int]]:
    """Enough objects to be frozen."""
    return [[] for _ in range(FROZEN_AT_ONCE)]


async def test_survivors_are_not_examined_again(collection: GarbageCollection):
    """A collection sees what is new, however much there is."""
    kept = []
    for _ in range(5):
        kept.append(many())
        gc.collect()
        assert len(gc.get_objects()) < FROZEN_AT_ONCE
    assert gc.get_freeze_count() > 5 * FROZEN_AT_ONCE


async def test_few_objects_are_not_frozen(collection: GarbageCollection):
    """Their cycles are found by the next full collection."""
    kept = [Cycle() for _ in range(10)]
    before = gc.get_freeze_count()
    gc.collect()
    assert gc.get_freeze_count() == before
    del kept
    gc.collect()
    assert Cycle.alive == 0


async def test_frozen_cycles_are_freed_when_sockets_do_not_explain_them(
    collection: GarbageCollection, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
):
    """The memory of a process does not grow without limit."""
    monkeypatch.setattr(garbage, "FROZEN_BEFORE_CHECK", 2 * FROZEN_AT_ONCE)
    monkeypatch.setattr(garbage, "UNEXPLAINED_BLOCKS", 2 * FROZEN_AT_ONCE)
    cycles = [Cycle() for _ in range(2 * FROZEN_AT_ONCE)]
    gc.collect()
    del cycles
    assert Cycle.alive == 2 * FROZEN_AT_ONCE
    sockets.number = 10_000
    assert not collection.check()  # so many sockets have more objects
    sockets.number = 0
    kept = many(), many()
    gc.collect()
    assert collection.check()
    assert Cycle.alive == 0
    assert gc.get_freeze_count() > len(kept) * FROZEN_AT_ONCE
    assert not collection.check()  # what is still there is needed


async def test_young_objects_of_idle_sockets_are_examined(collection: GarbageCollection, sockets: Sockets):
    """By the number of sockets, because Python does not count objects that replace others."""
    assert not collection.collect_young(1.0)
    sockets.number = 10_000
    examined = []
    gc.callbacks.append(lambda phase, info: examined.append(info["generation"]) if phase == "stop" else None)
    try:
        assert all(collection.collect_young(0.25) for _ in range(8))
    finally:
        gc.callbacks.pop()
    assert examined == [0, 0, 0, 1, 0, 0, 0, 2]
