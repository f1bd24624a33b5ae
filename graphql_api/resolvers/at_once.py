"""Telling one listener what happens in its turn, without waking anybody: what nearly every delivery is.

Most who hear of an event are nothing to its task, so all of them who have the same rights and asked for the same are
told the same. The first of them works it out, and keeps it beside the event; the others only look whether it holds.
"""

from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple

from domain.policy import TaskPeople
from graphql_api.realtime.current import CurrentTasks, Reading
from graphql_api.realtime.feed import Noted
from graphql_api.realtime.items import Told
from graphql_api.realtime.run import Run
from graphql_api.realtime.sight import Sight
from graphql_api.realtime.subscriber import Subscriber
from graphql_api.resolvers.telling import Teller, Telling

MAX_KEPT: Final = 16
"""Answers beside one event, which may wait in somebody's queue for long; `execution/shared` keeps a few more."""


class Known(NamedTuple):
    """An answer, and to whom it is not for: the people of the task, by the numbers of their ids."""

    answer: Any
    people: frozenset[int]
    reading: Reading


class AtOnce:
    """Tells what was noted for a subscriber, or says what has to end before."""

    def __init__(
        self,
        subscriber: Subscriber,
        current: CurrentTasks,
        telling: Callable[[Told, Reading], Telling],
        teller: Teller,
    ) -> None:
        self._subscriber = subscriber
        self._current = current
        self._telling = telling
        self._teller = teller
        actor = subscriber.actor
        self._actor = actor
        self._number = actor.user_id.int  # a UUID's hash is made in Python
        self._alike: Hashable = (
            (teller.share, actor.role.value, actor.access_version) if teller.share is not None else None
        )

    def __call__(self, noted: Noted) -> Run[Any] | bool:
        """Whether it was told, or what is to be waited for; False if the consumer has to see to it."""
        known: Known | Run[Any] | None = noted.answers.get(self._alike)
        if isinstance(known, Run):
            return known if not known.done else self._work_out(noted)
        if known is not None and self._is_for_me(known):
            return self._teller.send(known.answer)
        return self._work_out(noted)

    def _is_for_me(self, known: Known) -> bool:
        if self._number in known.people or known.reading.superseded:
            return False
        return self._subscriber.believes(known.reading.at)

    def _work_out(self, noted: Noted) -> Run[Any] | bool:
        reading = self._read(noted)
        if isinstance(reading, Run):
            self._keep(noted, reading)
            return reading
        telling = self._telling(self._subscriber.told(noted), reading)
        answer = self._teller.begun(telling)
        people = _people(noted, reading)
        if isinstance(answer, Run):
            if self._number not in people:
                self._keep(noted, answer)
            return answer
        if answer is None or not telling.is_current():
            return False
        if self._number not in people:
            self._keep(noted, Known(answer, people, reading))
        return self._teller.send(answer)

    def _keep(self, noted: Noted, known: Known | Run[Any]) -> None:
        if self._alike is not None and (len(noted.answers) < MAX_KEPT or self._alike in noted.answers):
            noted.answers[self._alike] = known

    def _read(self, noted: Noted) -> Reading | Run[Any]:
        if noted.sight is not Sight.SEEN:
            return self._current.nothing
        return self._current.begun(self._actor, noted.event.task_id, self._subscriber.ahead)


def _people(noted: Noted, reading: Reading) -> frozenset[int]:
    return frozenset(person.int for person in noted.event.people | _of(reading.people))


def _of(task: TaskPeople | None) -> set[Any]:
    return set() if task is None else {person for person in (task.owner_id, task.assignee_id) if person is not None}
