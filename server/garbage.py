"""Garbage collection with short pauses: objects that stay, such as those of open sockets, are not examined again."""

import asyncio
import gc
import sys
from collections.abc import Callable
from typing import Final

YOUNG_OBJECTS: Final = 5_000
"""New objects after which the young ones are examined. Most belong to running requests, and are not garbage."""
YOUNG_COLLECTIONS: Final = 2
"""Collections of young objects after which the middle generation is examined, too."""
FROZEN_AT_ONCE: Final = 25_000
"""Surviving objects that are worth freezing. A process with few sockets keeps fewer, and freezes none of them."""
FROZEN_BEFORE_CHECK: Final = 1_000_000
"""Objects that are frozen before the allocated memory is compared with what the sockets need."""
UNEXPLAINED_BLOCKS: Final = 2_000_000
"""Allocated blocks, above those of the sockets, that may be garbage: about 200 MB."""
BLOCKS_PER_SOCKET: Final = 500
"""A socket with a subscription has about 400."""
YOUNG_SOCKET_SECONDS: Final = 2_500
"""Sockets times seconds after which a young collection is due. A socket replaces six objects at each ping."""
_TICK_SECONDS: Final = 0.25


class GarbageCollection:
    """The garbage collection of this process; *sockets* returns the number of open sockets.

    Python examines all objects when the new ones are a quarter of the old ones, and stops the process: for a
    second with 5,000 sockets. Here a collection examines the new objects only, and what survives it is frozen
    (`gc.freeze`), as are all objects that exist at the start. So each object is examined three times at most, and no
    pause grows with the number of sockets.

    Frozen objects are freed by their reference counts. Those of a connection have no cycles after its end. A frozen
    cycle is found only when everything is examined, which is done when more memory is used than the sockets
    explain.
    """

    def __init__(self, sockets: Callable[[], int]) -> None:
        self._sockets = sockets
        self._frozen_since_check = 0
        self._explained = 0
        self._socket_seconds = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Freeze the objects that exist now, and those that survive from now on."""
        gc.collect()
        gc.freeze()
        self._explained = sys.getallocatedblocks() - BLOCKS_PER_SOCKET * self._sockets()
        # After each collection of the middle generation, the next one also examines the oldest, if a quarter is new.
        gc.set_threshold(YOUNG_OBJECTS, YOUNG_COLLECTIONS, 0)
        gc.callbacks.append(self._on_collection)
        self._call_later()

    def stop(self) -> None:
        """Freeze no more objects."""
        gc.callbacks.remove(self._on_collection)
        if self._timer is not None:
            self._timer.cancel()

    def collect_young(self, seconds: float) -> bool:
        """Examine young objects if sockets have replaced many in these *seconds*. Returns whether that was done.

        Python counts how many more objects were created than freed. A message on an idle socket creates objects that
        stay, and frees as many older ones: Python would let them grow to hundreds of thousands.
        """
        self._socket_seconds += seconds * self._sockets()
        if self._socket_seconds < YOUNG_SOCKET_SECONDS:
            return False
        self._socket_seconds = 0.0
        _, young, middle = gc.get_count()
        gc.collect(0 if young <= YOUNG_COLLECTIONS else 1 if not middle else 2)
        return True

    def check(self) -> bool:
        """Examine all objects if more memory is used than the sockets explain. Returns whether that was done."""
        if self._frozen_since_check < FROZEN_BEFORE_CHECK:
            return False
        self._frozen_since_check = 0
        if self._unexplained() < UNEXPLAINED_BLOCKS:
            return False
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._explained += self._unexplained()  # also if users have more than one subscription per socket
        return True

    def _unexplained(self) -> int:
        # `gc.get_freeze_count` would take 200 ms with 5,000 sockets.
        return sys.getallocatedblocks() - BLOCKS_PER_SOCKET * self._sockets() - self._explained

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2 and (survivors := _old_objects()) >= FROZEN_AT_ONCE:
            self._frozen_since_check += survivors
            gc.freeze()

    def _call_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._call_later()
        self.collect_young(_TICK_SECONDS)
        self.check()


def _old_objects() -> int:
    """The number of objects that have survived, and are not frozen."""
    return len(gc.get_objects(generation=2))
