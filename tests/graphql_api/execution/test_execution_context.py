"""The general executor does the work of an operation in parts, and its results are those of graphql-core."""

import asyncio
import gc
import warnings
from collections.abc import Awaitable
from dataclasses import dataclass, field

import pytest
import strawberry

from graphql_api.execution.documents import Documents
from graphql_api.execution.execution_context import _Unstarted
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.loaders import Loader
from graphql_api.pace import WORK_AT_ONCE, Pace


@dataclass
class Work:
    """The context: counts the resolved fields, and has a loader."""

    resolved: int = 0
    batches: list[list[int]] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)
    request_id: str = "r1"

    def __post_init__(self) -> None:
        self.loader: Loader[int, int] = Loader(self._load, self.pace)

    async def _load(self, keys: list[int]) -> list[int]:
        self.batches.append(keys)
        await asyncio.sleep(0)
        return keys


Info = strawberry.Info[Work, None]


@strawberry.type
class Thing:
    """Its fields count themselves."""

    of: strawberry.Private[int]

    @strawberry.field
    def number(self, info: Info) -> int:
        """A field that succeeds."""
        info.context.resolved += 1
        return self.of

    @strawberry.field
    def square(self, info: Info) -> int:
        """Another."""
        info.context.resolved += 1
        return self.of**2

    @strawberry.field
    def cube(self, info: Info) -> int:
        """Another."""
        info.context.resolved += 1
        return self.of**3

    @strawberry.field
    def even(self, info: Info) -> int | None:
        """A nullable field that fails in every second object."""
        info.context.resolved += 1
        if self.of % 2:
            raise ValueError(f"{self.of} is odd")
        return self.of

    @strawberry.field
    def small(self, info: Info) -> int:
        """A field whose failure removes the object."""
        info.context.resolved += 1
        if self.of > 8:
            raise ValueError(f"{self.of} is not small")
        return self.of

    @strawberry.field
    async def loaded(self, info: Info) -> "Thing":
        """An object that is read in a batch."""
        return Thing(of=await info.context.loader.load(self.of))

    @strawberry.field
    def things(self, count: int) -> list["Thing"]:
        """A nested list."""
        return [Thing(of=number) for number in range(count)]


@strawberry.type
class Query:
    """Lists."""

    @strawberry.field
    async def things(self, count: int) -> list[Thing]:
        """A list whose errors remove it."""
        return [Thing(of=number) for number in range(count)]

    @strawberry.field
    def maybe(self, count: int) -> list[Thing | None]:
        """A list whose errors remove one object each."""
        return [Thing(of=number) if number % 3 else None for number in range(count)]

    @strawberry.field
    def numbers(self, count: int) -> list[int]:
        """A list without objects."""
        return list(range(count))


SCHEMA = strawberry.Schema(Query)
FIELDS = "number square cube"
SHORT_LISTS = " ".join(f"l{number}: things(count: 9) {{ {FIELDS} }}" for number in range(30))
LISTS = {
    "one long list": f"{{ things(count: 900) {{ {FIELDS} }} }}",
    "a list that is not awaitable": f"{{ maybe(count: 900) {{ {FIELDS} }} }}",
    "long lists in a long list": f"{{ things(count: 40) {{ things(count: 40) {{ {FIELDS} }} }} }}",
    "short lists in a long list": f"{{ things(count: 200) {{ things(count: 5) {{ {FIELDS} }} }} }}",
    "short lists by alias": f"{{ {SHORT_LISTS} }}",
    "objects that are read in a batch": f"{{ things(count: 400) {{ loaded {{ {FIELDS} }} }} }}",
    "two levels that are read in batches": f"{{ things(count: 400) {{ loaded {{ loaded {{ {FIELDS} }} }} }} }}",
}
OTHERS = {
    "errors of nullable fields": "{ maybe(count: 40) { number even } }",
    "errors of objects": "{ maybe(count: 40) { number small } }",
    "an error of a list": "{ maybe(count: 3) { number } things(count: 40) { number small } }",
    "an error behind a batch": "{ maybe(count: 40) { number loaded { small } } }",
    "leaves": "{ numbers(count: 1000) }",
    "nothing": "{ things(count: 0) { number } }",
}


async def _run(query: str, work: Work) -> Response:
    executor: Executor[Work] = Executor(SCHEMA, Documents(SCHEMA))
    operation = await executor.prepare(OperationRequest(query, None, {}, {}), request_id="r1")
    assert isinstance(operation, Operation), operation
    return await executor.execute(operation, work)


async def _most_at_once(work: Work) -> int:
    most = before = 0
    try:
        while True:
            most, before = max(most, work.resolved - before), work.resolved
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        return most


@pytest.mark.parametrize("query", LISTS.values(), ids=LISTS.keys())
async def test_the_work_of_one_iteration_is_limited(query: str):
    """Other tasks of the event loop run after at most WORK_AT_ONCE fields, and those of one more object."""
    work = Work()
    counting = asyncio.create_task(_most_at_once(work))
    await asyncio.sleep(0)
    response = await _run(query, work)
    counting.cancel()

    assert "errors" not in response.body
    assert work.resolved > 2 * WORK_AT_ONCE
    assert await counting <= WORK_AT_ONCE + 20


@pytest.mark.parametrize("query", [*LISTS.values(), *OTHERS.values()], ids=[*LISTS.keys(), *OTHERS.keys()])
async def test_the_results_are_those_of_graphql_core(query: str):
    """Data, and the errors with their paths."""
    mine = await _run(query, Work())
    theirs = await SCHEMA.execute(query, context_value=Work())

    assert mine.body["data"] == theirs.data
    expected = sorted((str(error.path), error.message) for error in theirs.errors or ())
    assert sorted((str(each["path"]), each["extensions"]["code"]) for each in mine.body.get("errors", ())) == [
        (path, "INTERNAL") for path, _ in expected
    ]


async def test_a_list_is_read_in_one_batch():
    """Although it is completed in parts."""
    work = Work()
    await _run("{ things(count: 900) { number loaded { number } } }", work)
    assert [len(batch) for batch in work.batches] == [900]


async def test_a_cancelled_operation_leaves_nothing_behind():
    """Nothing of it runs later."""
    work = Work()
    query = "{ things(count: 900) { loaded { number square } things(count: 3) { number } } }"
    running = asyncio.create_task(_run(query, work))
    while not (work.pace._lists and work.pace._waiting):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    before = work.resolved, list(work.batches), len(asyncio.all_tasks())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of coroutines that are never awaited
        gc.collect()
        for _ in range(50):
            await asyncio.sleep(0)
    assert (work.resolved, work.batches, len(asyncio.all_tasks())) == before
    assert running.cancelled()
    assert not work.pace._lists


async def test_a_part_that_is_never_completed_has_no_coroutine():
    """graphql-core cancels what would await it when another field fails, before it has started."""
    started: list[int] = []

    async def complete() -> list[int]:
        started.append(1)
        return [7]

    async def wait_for(part: Awaitable[list[int]]) -> list[int]:
        return await part

    waiting = asyncio.create_task(wait_for(_Unstarted(complete)))
    waiting.cancel()
    await asyncio.wait([waiting])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()
    assert started == []
    assert await wait_for(_Unstarted(complete)) == [7]
