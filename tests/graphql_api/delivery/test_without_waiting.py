"""An event is executed without a task of its own, unless a resolver has to wait."""

from typing import Any

import pytest

from domain.task import TaskStatus
from domain.user import Role
from graphql_api.execution import delivery
from services import task as task_service
from streaming.asyncio_helpers import SingleFlight
from tests.graphql_api.delivery.listeners import DeliveryPath, listener_group
from tests.graphql_api.delivery.test_same_bytes import CAN, TASK
from tests.support.api import Api

IN_THE_ROW = f"subscription {{ taskChanged {{ cursor at taskId task {{ {TASK} {CAN} }} }} }}"
IN_OTHER_ROWS = "subscription { taskChanged { task { owner { username } } } }"


@pytest.mark.parametrize(("query", "waiting"), [(IN_THE_ROW, 0), (IN_OTHER_ROWS, 1)])
async def test_fields_of_the_task_need_no_task_of_the_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch, query: str, waiting: int
):
    """Five subscribers share one execution."""
    runs: list[Any] = []

    def start(*arguments: Any) -> SingleFlight[Any]:
        runs.append(arguments)
        return SingleFlight(*arguments)

    monkeypatch.setattr(delivery, "SingleFlight", start)
    owner, admin = await api.a_user(), await api.a_user(Role.ADMIN)
    task = await api.build.a_task(owner)
    path = DeliveryPath(api, shared=True)
    async with listener_group(api) as group:
        listeners = [await group.join(path, api.build.actor(admin), query) for _ in range(5)]
        await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.DONE)
        await group.have_received_all()

    assert [each.at_once for each in listeners] == [1] * 5
    assert (path.executed, len(runs)) == (1, waiting)
