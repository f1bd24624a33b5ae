"""Sharing is broken on purpose: the comparison with one execution for each subscriber notices."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from domain.task import TaskStatus
from domain.user import Role
from graphql_api.compiler import selections
from graphql_api.compiler.selections import _Reader
from graphql_api.execution import delivery
from graphql_api.execution.delivery import Group, SubscriptionResults
from graphql_api.resolvers.delivery import DirectDelivery
from graphql_api.schema.viewer import Viewer
from services import task as task_service
from tests.graphql_api.compiler.oracle.mutants import Mutant, Patch
from tests.graphql_api.delivery.listeners import DeliveryPath, listener_group
from tests.support.api import Api
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

PERSONAL: Final = "subscription { taskChanged { task { history(first: 5) { nodes { by { email } } } } } }"
RIGHTS: Final = "subscription { taskChanged { task { viewerCanUpdate viewerCanAssign } } }"
SWITCHED: Final = "subscription ($with: Boolean!) { taskChanged { task { id title @include(if: $with) } } }"
OPERATIONS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (PERSONAL, {}),
    (RIGHTS, {}),
    (SWITCHED, {"with": True}),
    (SWITCHED, {"with": False}),
)


def _personal_fields_are_for_all(patch: Patch) -> None:
    patch.setattr(selections, "viewer_of", lambda field: Viewer.ALL_USERS)


def _no_variables_of_directives(patch: Patch) -> None:
    patch.setattr(_Reader, "_use_directives", lambda self, directives: None)


def _one_key_for_all(patch: Patch) -> None:
    patch.setattr(Group, "_key", lambda self, delivery: self._operation)


def _one_operation_for_all_variables(patch: Patch) -> None:
    right = delivery._digest
    patch.setattr(delivery, "_digest", lambda text, name, sent: right(text, name, []))


def _personal_is_shared(patch: Patch) -> None:
    patch.setattr(SubscriptionResults, "sharing_key", property(lambda self: self._group._operation))


def _known_answers_are_for_all(patch: Patch) -> None:
    patch.setattr(DirectDelivery, "_may_receive", lambda self, queued, known: True)


MUTANTS: Final = [
    Mutant("selections", "personal fields are shared", _personal_fields_are_for_all),
    Mutant("selections", "variables of directives do not count", _no_variables_of_directives),
    Mutant("delivery", "an event has one answer for all", _one_key_for_all),
    Mutant("delivery", "variables do not distinguish operations", _one_operation_for_all_variables),
    Mutant("delivery", "what is personal is shared at once", _personal_is_shared),
    Mutant("delivery", "known answers are shared with all", _known_answers_are_for_all),
]


@pytest.fixture(autouse=True)
def fresh_lease(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the lease fresh: while it is stale nothing is delivered directly, and some mutants change only that."""
    monkeypatch.setattr(api.server.stream.lease, "_length", HANG_SECONDS)


async def differs(api: Api) -> bool:
    """Whether shared and separate executions deliver different bytes."""
    ways = [
        DeliveryPath(api, shared=True),
        DeliveryPath(api, shared=True, at_once=False),
        DeliveryPath(api, shared=False),
    ]
    # All have one role: they differ only by their relation to the task, and as users.
    owner, assignee, outsider = users = [await api.a_user(Role.MODERATOR) for _ in range(3)]
    task = await api.build.a_task(owner, assignee_id=assignee.id)
    actors = [Builders.actor(user) for user in (outsider, *users)]
    async with listener_group(api) as group:
        listeners = [
            [await group.join(path, actor, query, **variables) for query, variables in OPERATIONS for actor in actors]
            for path in ways
        ]
        steps: list[Callable[[], Awaitable[object]]] = [
            lambda: task_service.update_task_status(
                api.build.as_(assignee), task_id=task.id, status=TaskStatus.IN_PROGRESS
            ),
            lambda: task_service.assign_task(api.build.as_(owner), task_id=task.id, assignee_id=None),
            lambda: task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.DONE),
        ]
        for step in steps:
            await step()
            await group.have_received_all()
    at_once, woken, apart = ([listener.responses for listener in those] for those in listeners)
    return at_once != apart or woken != apart


async def test_without_a_mutant_nothing_differs(api: Api):
    """The delivery is correct."""
    assert not await differs(api)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
async def test_a_mistake_is_noticed(api: Api, mutant: Mutant, monkeypatch: pytest.MonkeyPatch):
    """A subscriber receives what was made for another user or another operation."""
    mutant.make(monkeypatch)

    assert await differs(api)
