"""Runs histories by their seeds."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from streaming import asyncio_helpers, log_reader, numbering, replay, subscription
from streaming.connections import ClientConnection
from streaming.subscription import Subscriber
from tests.simulation.checks import Broken
from tests.simulation.world import World

SMALL = (
    (log_reader, "PAGE_SIZE", 3),
    (log_reader, "SLICE_EVENTS", 2),
    (log_reader, "MAX_BATCHES", 3),
    (numbering, "BATCH_SIZE", 3),
    (numbering, "FLOOR_EVENTS", 1),
    (replay, "PAGE_SIZE", 3),
    (subscription, "ITEMS_PER_TURN", 3),
    (asyncio_helpers, "CALLS_PER_ROUND", 2),
)
"""Short histories have to meet every limit, too."""


@dataclass(frozen=True)
class Outcome:
    """How many histories were run, for how long, and the first one that broke a promise."""

    histories: int
    seconds: float
    seed: int | None = None
    why: str = ""

    def __str__(self) -> str:
        rate = f"{self.histories} histories in {self.seconds:.1f} s, {self.histories / self.seconds:.0f}/s"
        return f"{rate}: every promise was kept" if self.seed is None else f"{rate}: seed {self.seed} broke: {self.why}"


def run_one(seed: int, say: Callable[[str], None] | None = None) -> str | None:
    """Run a history; what was broken in it, or None."""
    try:
        live(World(seed, say))
    except Broken as broken:
        return str(broken)
    return None


def live(world: World) -> None:
    """Run a history. Raises: Broken: a guarantee was violated."""
    asyncio._set_running_loop(world.loop.as_asyncio)
    try:
        world.run()
    finally:
        world.over = True
        world.loop.close()
        asyncio._set_running_loop(None)


def run_many(first: int, histories: int) -> Outcome:
    """Run histories one after the other, up to the first one in which a promise is broken."""
    began = time.perf_counter()
    with _prepared():
        for number in range(histories):
            why = run_one(first + number)
            if why is not None:
                return Outcome(number + 1, time.perf_counter() - began, first + number, why)
            if number % 50 == 49:
                gc.collect()
    return Outcome(histories, time.perf_counter() - began)


def read(seed: int, say: Callable[[str], None]) -> str | None:
    """Run a history and print its steps."""
    with _prepared():
        return run_one(seed, say)


@contextmanager
def _prepared() -> Iterator[None]:
    """Small limits, hashes that are the same every time, no logs, and no collector in between."""
    serials = count()

    def serial(self: Any) -> int:
        found = self.__dict__.get("serial")
        if found is None:
            found = self.__dict__["serial"] = next(serials)
        return int(found)

    kept = [(module, name, getattr(module, name)) for module, name, _ in SMALL]
    logging.disable(logging.CRITICAL)
    for module, name, value in SMALL:
        setattr(module, name, value)
    ClientConnection.__hash__ = Subscriber.__hash__ = serial  # type: ignore[method-assign]
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        del ClientConnection.__hash__, Subscriber.__hash__
        for module, name, value in kept:
            setattr(module, name, value)
        logging.disable(logging.NOTSET)
