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
        """Those who listen so."""
        return self.shared.group(OperationRequest(query, name, variables, {}), DOCUMENTS.get(query))

    async def make(self) -> ExecutionResult:
        """An execution."""
        self.made += 1
        number = self.made
        await self.gate.wait()
        return ExecutionResult({"number": number}, None)

    async def ask(self, group: Group, viewpoint: object, viewer: str = "ada") -> Any:
        """What one of a group is told."""
        response = await group.response(delivery(viewpoint, viewer), self.make, "request")
        return response.body["data"]["number"]


def delivery(viewpoint: Any, viewer: str) -> Delivery:
    """Something to tell, that is true for ever."""

    async def renewed() -> Delivery:
        raise AssertionError

    return AnyDelivery(viewpoint, viewer, rights=None, is_current=lambda: True, renewed=renewed)


@pytest.fixture
def executions() -> Executions:
    """An empty one."""
    return Executions()


class TestSharing:
    async def test_the_same_place_gets_the_same_answer(self, executions: Executions):
        """At the same moment and later; another place gets another."""
        group = executions.group(PLAIN, first=1)
        assert await asyncio.gather(*(executions.ask(group, "here") for _ in range(5))) == [1] * 5
        assert [await executions.ask(group, place) for place in ("here", "there", "here")] == [1, 2, 1]
        assert (executions.shared.executed, executions.shared.reused) == (2, 6)

    async def test_what_only_chooses_events_is_no_difference(self, executions: Executions):
        """`after` is, by the time of the answer, past; what is below the root field is not."""
        groups = [executions.group(PLAIN, after=after, first=first) for after, first in (("a", 1), ("b", 1), ("a", 2))]
        assert [await executions.ask(group, "here") for group in groups] == [1, 1, 2]

    async def test_another_operation_is_another_answer(self, executions: Executions):
        """Also one of the same document."""
        groups = [executions.group(TWO, "A"), executions.group(TWO, "B"), executions.group(TWO + " ", "A")]
        assert [await executions.ask(group, "here") for group in groups] == [1, 2, 3]

    async def test_what_is_personal_is_made_for_each_person(self, executions: Executions):
        """On however many devices."""
        group = executions.group("subscription { taskChanged { task { owner { email } } } }")
        assert [await executions.ask(group, "here", name) for name in ("ada", "bob", "ada")] == [1, 2, 1]

    async def test_what_is_like_nothing_else_is_shared_with_nobody(self, executions: Executions):
        """Each for itself."""
        group = executions.group(PLAIN, first=1)
        assert [await executions.ask(group, None) for _ in range(3)] == [1, 2, 3]

    async def test_who_comes_when_all_have_just_left_is_answered(self, executions: Executions):
        """A stopped execution is nobody's answer, and does not take its successor along when it ends."""
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

    async def test_what_is_kept_is_bounded(self, executions: Executions):
        """However many places there are."""
        group = executions.group(PLAIN, first=1)
        for number in range(3_000):
            await executions.ask(group, number)
        assert len(executions.shared._cache) <= 1_000
        assert await executions.ask(group, 0) == 3_001


def test_strawberry_still_says_what_a_field_is_made_of():
    """The declarations beside the fields are found by way of it."""
    assert strawberry.field(description="x", metadata={"a": 1}).metadata == {"a": 1}


def test_what_a_client_sends_along_is_not_kept(executions: Executions):
    """Keys of answers are kept: whatever the variables and extensions are, they take a few bytes."""
    request = OperationRequest(PLAIN, None, {"after": "a" * 100_000}, {"trace": "b" * 100_000})
    assert len(str(executions.shared.group(request, DOCUMENTS.get(PLAIN)).sharing_key)) < 300
