"""What one listener was told is told to another only if it would have been told the same."""

from typing import Any
from uuid import uuid4

import pytest

from domain.actor import Actor
from domain.user import Role
from graphql_api.resolvers.delivery import MAX_ANSWERS, Delivery, DirectDelivery, KnownAnswer
from streaming.asyncio_helpers import SingleFlight
from streaming.stream_items import Delivered
from streaming.subscription_queue import QueuedEvent
from streaming.task_cache import TaskSnapshot
from streaming.visibility import Visibility
from tests.streaming.support import a_task_event
from tests.support.delivery import AnyDelivery


class FakeSubscriber:
    """A subscriber whose word is as given."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.is_trusted = True

    def item_for(self, noted: QueuedEvent) -> Delivered:
        """The item."""
        return Delivered("cursor", noted.position, noted.event, noted.visibility)

    def trusts(self, at: float) -> bool:
        """As given."""
        return self.is_trusted

    def upcoming_tasks(self) -> tuple[()]:
        """Nothing."""
        return ()


class FakeTaskCache:
    """One reading for all."""

    def __init__(self) -> None:
        self.reading: TaskSnapshot | SingleFlight[None] = TaskSnapshot(number=1)

    def get_or_start(self, *_: Any) -> TaskSnapshot | SingleFlight[None]:
        """As given."""
        return self.reading


class RecordingSender:
    """Answers with a number, each time another, and sends it."""

    def __init__(self, share: str | None = "operation") -> None:
        self.sharing_key = share
        self.executed_for: list[Delivery] = []
        self.sent: list[int] = []

    def get_or_execute(self, delivery: Delivery) -> Any:
        """Another one."""
        self.executed_for.append(delivery)
        return len(self.executed_for)

    def send(self, answer: Any) -> bool:
        """Keep it."""
        self.sent.append(answer)
        return True


def an_admin(version: int = 1, role: Role = Role.ADMIN) -> Actor:
    return Actor(uuid4(), role, uuid4(), version)


class Deliveries:
    """Listeners of one event, who have one way to be told."""

    def __init__(self, share: str | None = "operation", owner: Actor | None = None) -> None:
        event = a_task_event(owner.user_id if owner is not None else None)
        self.noted = QueuedEvent(1, event, Visibility.VISIBLE)
        self.current, self.sender = FakeTaskCache(), RecordingSender(share)
        self.is_current = True

    def deliver(self, actor: Actor, *, is_trusted: bool = True) -> SingleFlight[Any] | bool:
        """Tell one of them."""
        subscriber = FakeSubscriber(actor)
        subscriber.is_trusted = is_trusted
        deliver = DirectDelivery(subscriber, self.current, self._delivery, self.sender)  # type: ignore[arg-type]
        return deliver(self.noted)

    def _delivery(self, item: Delivered, reading: TaskSnapshot) -> Delivery:
        async def renewed() -> Delivery:
            raise AssertionError("nobody waits here")

        return AnyDelivery("there", "me", rights=None, is_current=lambda: self.is_current, renewed=renewed)


def test_what_is_alike_is_worked_out_once():
    """By the first; the others get the same."""
    deliveries = Deliveries()
    assert all(deliveries.deliver(an_admin()) for _ in range(3))
    assert (len(deliveries.sender.executed_for), deliveries.sender.sent) == (1, [1, 1, 1])


@pytest.mark.parametrize("other", [an_admin(version=2), an_admin(role=Role.MODERATOR)], ids=["rights", "role"])
def test_other_rights_are_another_answer(other: Actor):
    """The cursor names the rights, and fields may ask for the role."""
    deliveries = Deliveries()
    deliveries.deliver(an_admin())
    deliveries.deliver(other)
    assert deliveries.sender.sent == [1, 2]


@pytest.mark.parametrize(
    ("order", "answers"),
    [("owner stranger other owner other", [1, 2, 2, 3, 2]), ("stranger other owner owner other", [1, 1, 2, 3, 1])],
    ids=["owner first", "stranger first"],
)
def test_people_of_the_task_are_told_their_own(order: str, answers: list[int]):
    """What they were told is not for others, nor the other way round."""
    users = {"owner": an_admin(), "stranger": an_admin(), "other": an_admin()}
    deliveries = Deliveries(owner=users["owner"])
    for name in order.split():
        deliveries.deliver(users[name])
    assert deliveries.sender.sent == answers
    assert len(deliveries.sender.executed_for) == 3


class KeepsEverything(DirectDelivery):
    """Keeps what the people of the task were told, too."""

    def _execute(self, noted: QueuedEvent) -> SingleFlight[Any] | bool:
        number, self._number = self._number, -1
        result = super()._execute(noted)
        self._number = number
        return result


class BelievesEverything(DirectDelivery):
    """Tells the people of the task what was kept for others."""

    def _may_receive(self, known: KnownAnswer) -> bool:
        return True


@pytest.mark.parametrize("broken", [KeepsEverything, BelievesEverything])
@pytest.mark.parametrize("order", ["owner stranger other owner other", "stranger other owner owner other"])
def test_a_broken_rule_is_noticed(broken: type[DirectDelivery], order: str, monkeypatch: pytest.MonkeyPatch):
    """In either order, somebody is told what was worked out for somebody else."""
    monkeypatch.setattr(f"{__name__}.DirectDelivery", broken)
    with pytest.raises(AssertionError):
        test_people_of_the_task_are_told_their_own(
            order, [1, 2, 2, 3, 2] if order.startswith("owner") else [1, 1, 2, 3, 1]
        )


def test_people_of_the_task_as_it_is_now_are_told_their_own():
    """The event does not know who has been assigned since."""
    deliveries, assignee = Deliveries(), an_admin()

    class Task:
        owner_id, assignee_id = uuid4(), assignee.user_id

    deliveries.current.reading = TaskSnapshot(Task(), number=1)  # type: ignore[arg-type]
    deliveries.deliver(an_admin())
    deliveries.deliver(assignee)
    assert deliveries.sender.sent == [1, 2]


def test_what_is_superseded_is_not_told_any_more():
    """Else a task would go back in time for who was told of it later."""
    deliveries = Deliveries()
    deliveries.deliver(an_admin())
    assert isinstance(deliveries.current.reading, TaskSnapshot)
    deliveries.current.reading.superseded = True
    deliveries.current.reading = TaskSnapshot(number=2)
    deliveries.deliver(an_admin())
    assert deliveries.sender.sent == [1, 2]


def test_what_cannot_be_believed_is_left_to_who_can_wait():
    """A lease that ran out is not got back here."""
    deliveries = Deliveries()
    deliveries.deliver(an_admin())
    deliveries.is_current = False
    assert deliveries.deliver(an_admin(), is_trusted=False) is False
    assert deliveries.sender.sent == [1]


def test_no_more_than_so_many_are_kept():
    """An event that waits in a slow listener's queue does not keep an answer for everybody who was quicker."""
    deliveries = Deliveries()
    for version in range(MAX_ANSWERS + 5):
        deliveries.deliver(an_admin(version))
    deliveries.deliver(an_admin(0))
    assert len(deliveries.noted.answers) == MAX_ANSWERS
    assert deliveries.sender.sent == [*range(1, MAX_ANSWERS + 6), 1]


def test_what_is_personal_is_kept_for_nobody():
    """Each person gets an answer of their own."""
    deliveries = Deliveries(share=None)
    deliveries.deliver(an_admin())
    deliveries.deliver(an_admin())
    assert deliveries.sender.sent == [1, 2]
    assert deliveries.noted.answers == {}
