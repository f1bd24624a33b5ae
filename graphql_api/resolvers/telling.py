"""An event on its way to one listener, before anything of it is executed."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Telling:
    """What the execution of a subscription's event begins with.

    An operation answers two tellings alike if their `viewpoint` is equal, and their `viewer` too if it selects
    anything personal. None: this one is like no other. `make` makes the value of the root field.

    `is_current` says whether that, and that it may be told, can still be believed; if not, `again` waits until it is
    known what is, and tells that.
    """

    viewpoint: Hashable | None
    viewer: Hashable
    make: Callable[[], Any]
    is_current: Callable[[], bool]
    again: Callable[[], Awaitable["Telling"]]


async def answered(telling: Telling, answer: Callable[[Telling], Awaitable[AnswerT]]) -> AnswerT:
    """The answer to a telling, which is still true when it is there: one that took too long is given anew.

    Raises:
        Unauthenticated: the actor's rights have changed meanwhile.
        StopAsyncIteration: nobody listens any more.
    """
    while True:
        found = await answer(telling)
        if telling.is_current():
            return found
        telling = await telling.again()
