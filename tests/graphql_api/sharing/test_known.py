"""What one listener was told is told to another only if it would have been told the same."""

from typing import Any
from uuid import uuid4

import pytest

from domain.actor import Actor
from domain.user import Role
from graphql_api.realtime.current import Reading
from graphql_api.realtime.feed import Noted
from graphql_api.realtime.items import Told
from graphql_api.realtime.run import Run
from graphql_api.realtime.sight import Sight
from graphql_api.resolvers.at_once import MAX_KEPT, AtOnce, Known
from graphql_api.resolvers.telling import Telling
from tests.graphql_api.realtime.support import a_task_event
from tests.support.telling import AnyTelling


class Subscribed:
    """A subscriber whose word is as given."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.trusts = True

    def told(self, noted: Noted) -> Told:
        """The item."""
        return Told("cursor", noted.position, noted.event, noted.sight)

    def believes(self, at: float) -> bool:
        """As given."""
        return self.trusts

    def ahead(self) -> tuple[()]:
        """Nothing."""
        return ()


class Current:
    """One reading for all."""

    def __init__(self) -> None:
        self.reading: Reading | Run[None] = Reading(number=1)

    def begun(self, *_: Any) -> Reading | Run[None]:
        """As given."""
        return self.reading


class Way:
    """Answers with a number, each time another, and sends it."""

    def __init__(self, share: str | None = "operation") -> None:
        self.share = share
        self.begun_for: list[Telling] = []
        self.sent: list[int] = []

    def begun(self, telling: Telling) -> Any:
        """Another one."""
        self.begun_for.append(telling)
        return len(self.begun_for)

    def send(self, answer: Any) -> bool:
        """Keep it."""
        self.sent.append(answer)
        return True


def an_admin(version: int = 1, role: Role = Role.ADMIN) -> Actor:
    return Actor(uuid4(), role, uuid4(), version)


class House:
    """Listeners of one event, who have one way to be told."""

    def __init__(self, share: str | None = "operation", owner: Actor | None = None) -> None:
        event = a_task_event(owner.user_id if owner is not None else None)
        self.noted = Noted(1, event, Sight.SEEN)
        self.current, self.way = Current(), Way(share)
        self.is_current = True

    def tell(self, actor: Actor, *, trusts: bool = True) -> Run[Any] | bool:
        """Tell one of them."""
        subscriber = Subscribed(actor)
        subscriber.trusts = trusts
        at_once = AtOnce(subscriber, self.current, self._telling, self.way)  # type: ignore[arg-type]
        return at_once(self.noted)

    def _telling(self, item: Told, reading: Reading) -> Telling:
        async def again() -> Telling:
            raise AssertionError("nobody waits here")

        return AnyTelling("there", "me", standing=None, is_current=lambda: self.is_current, again=again)


def test_what_is_alike_is_worked_out_once():
    """By the first; the others get the same."""
    house = House()
    assert all(house.tell(an_admin()) for _ in range(3))
    assert (len(house.way.begun_for), house.way.sent) == (1, [1, 1, 1])


@pytest.mark.parametrize("other", [an_admin(version=2), an_admin(role=Role.MODERATOR)], ids=["rights", "role"])
def test_other_rights_are_another_answer(other: Actor):
    """The cursor names the rights, and fields may ask for the role."""
    house = House()
    house.tell(an_admin())
    house.tell(other)
    assert house.way.sent == [1, 2]


@pytest.mark.parametrize(
    ("order", "answers"),
    [("owner stranger other owner other", [1, 2, 2, 3, 2]), ("stranger other owner owner other", [1, 1, 2, 3, 1])],
    ids=["owner first", "stranger first"],
)
def test_people_of_the_task_are_told_their_own(order: str, answers: list[int]):
    """What they were told is not for others, nor the other way round."""
    people = {"owner": an_admin(), "stranger": an_admin(), "other": an_admin()}
    house = House(owner=people["owner"])
    for name in order.split():
        house.tell(people[name])
    assert house.way.sent == answers
    assert len(house.way.begun_for) == 3


class KeepsEverything(AtOnce):
    """Keeps what the people of the task were told, too."""

    def _work_out(self, noted: Noted) -> Run[Any] | bool:
        number, self._number = self._number, -1
        told = super()._work_out(noted)
        self._number = number
        return told


class BelievesEverything(AtOnce):
    """Tells the people of the task what was kept for others."""

    def _is_for_me(self, known: Known) -> bool:
        return True


@pytest.mark.parametrize("broken", [KeepsEverything, BelievesEverything])
@pytest.mark.parametrize("order", ["owner stranger other owner other", "stranger other owner owner other"])
def test_a_broken_rule_is_noticed(broken: type[AtOnce], order: str, monkeypatch: pytest.MonkeyPatch):
    """In either order, somebody is told what was worked out for somebody else."""
    monkeypatch.setattr(f"{__name__}.AtOnce", broken)
    with pytest.raises(AssertionError):
        test_people_of_the_task_are_told_their_own(
            order, [1, 2, 2, 3, 2] if order.startswith("owner") else [1, 1, 2, 3, 1]
        )


def test_people_of_the_task_as_it_is_now_are_told_their_own():
    """The event does not know who has been assigned since."""
    house, assignee = House(), an_admin()

    class Task:
        owner_id, assignee_id = uuid4(), assignee.user_id

    house.current.reading = Reading(Task(), number=1)  # type: ignore[arg-type]
    house.tell(an_admin())
    house.tell(assignee)
    assert house.way.sent == [1, 2]


def test_what_is_superseded_is_not_told_any_more():
    """Else a task would go back in time for who was told of it later."""
    house = House()
    house.tell(an_admin())
    assert isinstance(house.current.reading, Reading)
    house.current.reading.superseded = True
    house.current.reading = Reading(number=2)
    house.tell(an_admin())
    assert house.way.sent == [1, 2]


def test_what_cannot_be_believed_is_left_to_who_can_wait():
    """A lease that ran out is not got back here."""
    house = House()
    house.tell(an_admin())
    house.is_current = False
    assert house.tell(an_admin(), trusts=False) is False
    assert house.way.sent == [1]


def test_no_more_than_so_many_are_kept():
    """An event that waits in a slow listener's queue does not keep an answer for everybody who was quicker."""
    house = House()
    for version in range(MAX_KEPT + 5):
        house.tell(an_admin(version))
    house.tell(an_admin(0))
    assert len(house.noted.answers) == MAX_KEPT
    assert house.way.sent == [*range(1, MAX_KEPT + 6), 1]


def test_what_is_personal_is_kept_for_nobody():
    """Each person gets an answer of their own."""
    house = House(share=None)
    house.tell(an_admin())
    house.tell(an_admin())
    assert house.way.sent == [1, 2]
    assert house.noted.answers == {}
