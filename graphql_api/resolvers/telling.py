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

    `standing` is what the actor's right to be told it rests on. `is_current` says whether that can still be believed;
    if not, `again` waits until it is known what is, and tells that.
    """

    viewpoint: Hashable | None
    viewer: Hashable
    make: Callable[[], Any]
    standing: Hashable
    is_current: Callable[[], bool]
    again: Callable[[], Awaitable["Telling"]]


async def answered(telling: Telling, answer: Callable[[Telling], Awaitable[AnswerT]]) -> AnswerT:
    """The answer to a telling, to which the actor still has the right when it is there.

    One that took long is told if the actor stands to it as before, and only else given anew: a process that is too
    busy to answer within a lease would otherwise answer for ever.

    Raises:
        Unauthenticated: the actor's rights have changed meanwhile.
        StopAsyncIteration: nobody listens any more.
    """
    found = await answer(telling)
    while not telling.is_current():
        now = await telling.again()
        if now.standing != telling.standing:
            found = await answer(now)
        telling = now
    return found
