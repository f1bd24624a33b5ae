"""An event on its way to one listener, before anything of it is executed."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Protocol, TypeVar, runtime_checkable

AnswerT = TypeVar("AnswerT")


class Telling:
    """What the execution of a subscription's event begins with.

    An operation answers two tellings alike if their `viewpoint` is equal, and their `viewer` too if it selects
    anything personal. None: this one is like no other.
    """

    __slots__ = ("viewer", "viewpoint")

    def __init__(self, viewpoint: Hashable | None, viewer: Hashable) -> None:
        self.viewpoint = viewpoint
        self.viewer = viewer

    # Not by `abc`: its isinstance is a function in Python, and it is asked for each delivery.

    def make(self) -> Any:
        """The value of the root field."""
        raise NotImplementedError

    @property
    def standing(self) -> Hashable:
        """What the actor's right to be told it rests on."""
        raise NotImplementedError

    def is_current(self) -> bool:
        """Whether that can still be believed."""
        raise NotImplementedError

    async def again(self) -> "Telling":
        """If it cannot: what is to be told once it is known what can."""
        raise NotImplementedError


class Teller(Protocol):
    """Answers tellings without waiting, and sends the answers.

    Answers to tellings are interchangeable between tellers with an equal `share`, as `Telling` says; None: never.
    """

    share: Hashable | None

    def begun(self, telling: Telling) -> Any:
        """The answer to a telling, or the `Run` that is under way to it; None if this is not the way to it."""

    def send(self, answer: Any) -> bool:
        """Send an answer; False if that cannot be done at once."""


@runtime_checkable
class TellsAtOnce(Protocol):
    """A source of tellings that can do without being asked for each."""

    def at_once(self, teller: Teller) -> None:
        """Have what comes told by *teller* while nobody does anything but wait for it."""


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
