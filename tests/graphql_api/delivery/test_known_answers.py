"""An answer is shared with another subscriber only if its own would be equal."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.actor import Actor, ProjectRoles
from domain.events import People
from domain.project import ProjectRole
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
    """A subscriber that is trusted or not."""

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
    """Subscribers to one event, with one sender."""

    def __init__(self, share: str | None = "operation", owner: Actor | None = None) -> None:
        event = a_task_event(owner.user_id if owner is not None else None)
        self.noted = QueuedEvent(1, event, Visibility.VISIBLE)
        self.current, self.sender = FakeTaskCache(), RecordingSender(share)
        self.is_current = True

    def deliver(self, actor: Actor, *, is_trusted: bool = True) -> SingleFlight[Any] | bool:
        """Deliver the event to a subscriber."""
        subscriber = FakeSubscriber(actor)
        subscriber.is_trusted = is_trusted
        deliver = DirectDelivery(subscriber, self.current, self._delivery, self.sender)  # type: ignore[arg-type]
        return deliver(self.noted)

    def _delivery(self, item: Delivered, reading: TaskSnapshot) -> Delivery:
        async def renewed() -> Delivery:
            raise AssertionError("the lease is always current")

        return AnyDelivery("there", "me", rights=None, is_current=lambda: self.is_current, renewed=renewed)


def test_equal_subscribers_share_one_execution():
    """The first executes; the others get the same answer."""
    deliveries = Deliveries()
    assert all(deliveries.deliver(an_admin()) for _ in range(3))
    assert (len(deliveries.sender.executed_for), deliveries.sender.sent) == (1, [1, 1, 1])


@pytest.mark.parametrize("other", [an_admin(version=2), an_admin(role=Role.MODERATOR)], ids=["rights", "role"])
def test_other_rights_are_another_answer(other: Actor):
    """The cursor contains the rights, and fields may depend on the role."""
    deliveries = Deliveries()
    deliveries.deliver(an_admin())
    deliveries.deliver(other)
    assert deliveries.sender.sent == [1, 2]


@pytest.mark.parametrize(
    ("order", "answers"),
    [("owner outsider other owner other", [1, 2, 2, 3, 2]), ("outsider other owner owner other", [1, 1, 2, 3, 1])],
    ids=["owner first", "outsider first"],
)
def test_people_of_the_task_get_their_own_answers(order: str, answers: list[int]):
    """Their answers are not shared in either direction."""
    users = {"owner": an_admin(), "outsider": an_admin(), "other": an_admin()}
    deliveries = Deliveries(owner=users["owner"])
    for name in order.split():
        deliveries.deliver(users[name])
    assert deliveries.sender.sent == answers
    assert len(deliveries.sender.executed_for) == 3


class KeepsEverything(DirectDelivery):
    """Shares the answers of the people of the task, too."""

    def _execute(self, noted: QueuedEvent) -> SingleFlight[Any] | bool:
        number, self._number = self._number, -1
        result = super()._execute(noted)
        self._number = number
        return result


class BelievesEverything(DirectDelivery):
    """Gives the people of the task the answers of others."""

    def _may_receive(self, queued: QueuedEvent, known: KnownAnswer) -> bool:
        return True


@pytest.mark.parametrize("broken", [KeepsEverything, BelievesEverything])
@pytest.mark.parametrize("order", ["owner outsider other owner other", "outsider other owner owner other"])
def test_a_broken_rule_is_noticed(broken: type[DirectDelivery], order: str, monkeypatch: pytest.MonkeyPatch):
    """In either order a subscriber receives an answer that was made for another."""
    monkeypatch.setattr(f"{__name__}.DirectDelivery", broken)
    with pytest.raises(AssertionError):
        test_people_of_the_task_get_their_own_answers(
            order, [1, 2, 2, 3, 2] if order.startswith("owner") else [1, 1, 2, 3, 1]
        )


def test_people_of_the_current_task_get_their_own_answers():
    """The event does not contain a later assignee."""
    deliveries, assignee = Deliveries(), an_admin()

    class Task:
        owner_id, assignee_id, project_id = uuid4(), assignee.user_id, None

    deliveries.current.reading = TaskSnapshot(Task(), number=1)  # type: ignore[arg-type]
    deliveries.deliver(an_admin())
    deliveries.deliver(assignee)
    assert deliveries.sender.sent == [1, 2]


def test_what_is_gone_for_a_former_member_is_not_gone_for_members():
    """The event waits for both; one of them leaves the project, and its task is read without people for it."""
    project, owner = uuid4(), an_admin()
    people = People(owner.user_id, None, project)
    former, member, other = (
        replace(an_admin(role=Role.USER), projects=ProjectRoles(roles))
        for roles in ({}, {project: ProjectRole.VIEWER}, {project: ProjectRole.VIEWER})
    )
    deliveries = Deliveries()
    deliveries.noted = QueuedEvent(1, a_task_event(before=people, after=people), Visibility.VISIBLE)
    deliveries.deliver(former)
    deliveries.current.reading = TaskSnapshot(deleted_of=people, number=1)
    for actor in (member, other):
        deliveries.deliver(actor)
    assert deliveries.sender.sent == [1, 2, 2]


def test_a_superseded_answer_is_not_delivered():
    """A later subscriber must not receive an older task."""
    deliveries = Deliveries()
    deliveries.deliver(an_admin())
    assert isinstance(deliveries.current.reading, TaskSnapshot)
    deliveries.current.reading.superseded = True
    deliveries.current.reading = TaskSnapshot(number=2)
    deliveries.deliver(an_admin())
    assert deliveries.sender.sent == [1, 2]


def test_an_expired_lease_is_left_to_the_task():
    """Direct delivery cannot wait for a new lease."""
    deliveries = Deliveries()
    deliveries.deliver(an_admin())
    deliveries.is_current = False
    assert deliveries.deliver(an_admin(), is_trusted=False) is False
    assert deliveries.sender.sent == [1]


def test_shared_answers_are_bounded():
    """An event in the queue of a slow subscriber stores only some answers."""
    deliveries = Deliveries()
    for version in range(MAX_ANSWERS + 5):
        deliveries.deliver(an_admin(version))
    deliveries.deliver(an_admin(0))
    assert len(deliveries.noted.answers) == MAX_ANSWERS
    assert deliveries.sender.sent == [*range(1, MAX_ANSWERS + 6), 1]


def test_personal_answers_are_not_shared():
    """Each user gets their own answer."""
    deliveries = Deliveries(share=None)
    deliveries.deliver(an_admin())
    deliveries.deliver(an_admin())
    assert deliveries.sender.sent == [1, 2]
    assert deliveries.noted.answers == {}
