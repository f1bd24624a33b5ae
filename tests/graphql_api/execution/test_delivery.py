"""Which answers are handed on, and which are not."""

import asyncio
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult

from graphql_api.execution.delivery import Group, SharedExecutions
from graphql_api.execution.documents import Documents
from graphql_api.execution.request import OperationRequest
from graphql_api.resolvers.delivery import Delivery
from graphql_api.root import schema
from tests.support.delivery import AnyDelivery

DOCUMENTS = Documents(schema)
PLAIN = "subscription A($after: String, $first: Int!) { taskChanged(after: $after) { task { history(first: $first) { pageInfo { hasNextPage } } } } }"  # noqa: E501
TWO = "subscription A { taskChanged { cursor } } subscription B { taskChanged { taskId } }"


class Executions:
    """Executes, and counts how often."""

    def __init__(self) -> None:
        self.made = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.shared = SharedExecutions(schema._schema)

    def group(self, query: str, name: str | None = None, /, **variables: Any) -> Group:
        """Subscriptions with this operation."""
        return self.shared.group(OperationRequest(query, name, variables, {}), DOCUMENTS.get(query))

    async def make(self) -> ExecutionResult:
        """An execution."""
        self.made += 1
        number = self.made
        await self.gate.wait()
        return ExecutionResult({"number": number}, None)

    async def ask(self, group: Group, viewpoint: object, viewer: str = "ada") -> Any:
        """The response for one subscription of a group."""
        response = await group.response(delivery(viewpoint, viewer), self.make, "request")
        return response.body["data"]["number"]


def delivery(viewpoint: Any, viewer: str) -> Delivery:
    """A delivery that stays current."""

    async def renewed() -> Delivery:
        raise AssertionError

    return AnyDelivery(viewpoint, viewer, rights=None, is_current=lambda: True, renewed=renewed)


@pytest.fixture
def executions() -> Executions:
    """An empty one."""
    return Executions()


class TestSharing:
    async def test_an_equal_viewpoint_gets_the_same_answer(self, executions: Executions):
        """Concurrently and later; another viewpoint gets another answer."""
        group = executions.group(PLAIN, first=1)
        assert await asyncio.gather(*(executions.ask(group, "here") for _ in range(5))) == [1] * 5
        assert [await executions.ask(group, place) for place in ("here", "there", "here")] == [1, 2, 1]
        assert (executions.shared.executed, executions.shared.reused) == (2, 6)

    async def test_arguments_that_only_select_events_do_not_count(self, executions: Executions):
        """`after` has no effect on the answer; variables below the root field have."""
        groups = [executions.group(PLAIN, after=after, first=first) for after, first in (("a", 1), ("b", 1), ("a", 2))]
        assert [await executions.ask(group, "here") for group in groups] == [1, 1, 2]

    async def test_another_operation_has_another_answer(self, executions: Executions):
        """Also within the same document."""
        groups = [executions.group(TWO, "A"), executions.group(TWO, "B"), executions.group(TWO + " ", "A")]
        assert [await executions.ask(group, "here") for group in groups] == [1, 2, 3]

    async def test_personal_fields_are_executed_for_each_user(self, executions: Executions):
        """Once for all devices of the user."""
        group = executions.group("subscription { taskChanged { task { owner { email } } } }")
        assert [await executions.ask(group, "here", name) for name in ("ada", "bob", "ada")] == [1, 2, 1]

    async def test_a_delivery_without_a_viewpoint_is_not_shared(self, executions: Executions):
        """Each is executed."""
        group = executions.group(PLAIN, first=1)
        assert [await executions.ask(group, None) for _ in range(3)] == [1, 2, 3]

    async def test_a_subscriber_after_a_stopped_execution_is_answered(self, executions: Executions):
        """A stopped execution has no answer, and its end does not remove its successor."""
        group = executions.group(PLAIN, first=1)
        executions.gate.clear()
        leaving = asyncio.create_task(executions.ask(group, "here"))
        await asyncio.sleep(0.01)
        leaving.cancel()
        later = [asyncio.create_task(executions.ask(group, "here"))]
        await asyncio.sleep(0)
        later.append(asyncio.create_task(executions.ask(group, "here")))
        await asyncio.sleep(0.01)
        later.append(asyncio.create_task(executions.ask(group, "here")))
        await asyncio.sleep(0.01)
        executions.gate.set()

        assert await asyncio.gather(*later) == [2, 2, 2]
        assert not executions.shared._running

    async def test_the_cache_is_bounded(self, executions: Executions):
        """For any number of viewpoints."""
        group = executions.group(PLAIN, first=1)
        for number in range(3_000):
            await executions.ask(group, number)
        assert len(executions.shared._cache) <= 1_000
        assert await executions.ask(group, 0) == 3_001


def test_strawberry_has_the_definition_of_a_field():
    """It leads to the declarations of fields."""
    assert strawberry.field(description="x", metadata={"a": 1}).metadata == {"a": 1}


def test_cache_keys_are_small(executions: Executions):
    """Whatever the variables and extensions are."""
    request = OperationRequest(PLAIN, None, {"after": "a" * 100_000}, {"trace": "b" * 100_000})
    assert len(str(executions.shared.group(request, DOCUMENTS.get(PLAIN)).sharing_key)) < 300
