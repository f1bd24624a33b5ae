"""How many statements an operation costs: so many however much it returns, and no more tomorrow than today."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import cycle, islice
from typing import Any

import pytest

from domain.user import Role
from persistence.epoch import COMPLETE
from persistence.event_log import _AFTER, _NUMBER, _observe, _with_key
from persistence.group_commit import WRITE
from persistence.models import TaskRow, UserRow
from persistence.numbering_floor import LAST_ID, RAISE, WRITERS
from persistence.queries.event import HISTORY
from persistence.statement_counts import Statements
from tests.graphql_api.test_tasks import ASSIGN, CREATE, DELETE, STATUS, TASK, UPDATE, task_id, user_id
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.serving import serving
from tests.support.websocket_client import Socket, connected

PEOPLE = "owner { username } assignee { username }"
PAGE = "query ($first: Int!) { tasks(first: $first) { nodes { title " + PEOPLE + " } } }"
NODES = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
  ... on Task { title owner { username } assignee { username } } ... on User { username } } }"""
MOVES = """subscription { taskStatusChanged { cursor task { title owner { username } assignee { username } }
  ... on TaskStatusChanged { from to by { username } } } }"""

FOLLOWED = (_with_key(_AFTER, COMPLETE), _with_key(_NUMBER, COMPLETE))
OF_THE_STREAM = (*FOLLOWED, _observe(COMPLETE), LAST_ID, RAISE, WRITERS)


@contextmanager
def statements(api: Api) -> Iterator[list[str]]:
    """What is sent to the database by requests; the stream reads over a pool of its own."""
    sent: list[str] = []

    run = Statements.run

    async def note_and_run(self: Statements, statement: str, *how: Any) -> Any:
        if statement not in (*OF_THE_STREAM, WRITE):
            sent.append(" ".join(statement.split()))
        return await run(self, statement, *how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statements, "run", note_and_run)
        yield sent


async def cost(api: Api, query: str, by: UserRow, /, **variables: Any) -> list[str]:
    """The statements of one operation, without those of the authentication."""
    await api.token(by)
    with statements(api) as sent:
        assert (await api.ask(query, by, **variables)).codes == []
    return [statement for statement in sent if "FROM sessions" not in statement]


def with_people(api: Api) -> int:
    """The number of statements for rows with owner and assignee: one by a plan, two in the general executor."""
    return 1 if api.server.compiled is not None else 2


async def a_board(api: Api, many: int) -> tuple[UserRow, list[TaskRow]]:
    """A user with tasks, each assigned to another user."""
    owner = await api.a_user()
    assignees = [await api.a_user() for _ in range(min(many, 5))]
    tasks = [await api.build.a_task(owner, assignee_id=assignees[number % 5].id) for number in range(many)]
    return owner, tasks


@asynccontextmanager
async def listening(api: Api, url: str, user: UserRow) -> AsyncIterator[Socket]:
    """A socket that subscribes to status changes."""
    before = api.server.stream.subscribers
    async with connected(url) as socket:
        await socket.init({"token": await api.token(user)})
        await socket.subscribe("1", MOVES)
        await until(lambda: api.server.stream.subscribers > before)
        yield socket
    await until(lambda: api.server.stream.subscribers <= before)


class TestQueries:
    async def test_one_task_with_owner_and_assignee(self, api: Api):
        """One statement by a plan."""
        owner, [task] = await a_board(api, 1)

        assert len(await cost(api, TASK, owner, id=task_id(task))) == with_people(api)

    @pytest.mark.parametrize("first", [1, 20, 100])
    async def test_a_page_with_owners_and_assignees(self, api: Api, first: int):
        """For a page of any size."""
        owner, _ = await a_board(api, 25)

        assert len(await cost(api, PAGE, owner, first=first)) == with_people(api)

    async def test_unselected_fields_are_not_read(self, api: Api):
        """The stream cursor and the total count of a list are read only if they are selected."""
        owner, _ = await a_board(api, 3)

        def reads_facts(sent: list[str]) -> bool:
            return any("count(" in each or "AS facts" in each for each in sent)

        assert not reads_facts(await cost(api, PAGE, owner, first=20))
        for fact in ("streamCursor", "totalCount"):
            assert reads_facts(await cost(api, f"{{ tasks {{ {fact} nodes {{ title }} }} }}", owner))

    async def test_one_connection_is_one_statement(self, api: Api):
        """Rows, both ends, the total and the stream cursor are one snapshot, in both executors."""
        owner, _ = await a_board(api, 3)
        ends = "pageInfo { hasPreviousPage hasNextPage }"
        cursor = (await api.ask("{ tasks { edges { cursor } } }", owner)).data["tasks"]["edges"][1]["cursor"]
        for how in (f'first: 1, after: "{cursor}"', f'last: 1, before: "{cursor}"', "first: 5", "last: 5"):
            query = f"{{ tasks({how}) {{ {ends} totalCount streamCursor nodes {{ title }} }} }}"
            for _ in range(2):
                (sent,) = await cost(api, query, owner)
                assert "count(" in sent and "event_head" in sent and "tasks.title" in sent  # noqa: PT018

    async def test_one_page_of_users_is_one_statement(self, api: Api):
        """With its total and its ends."""
        admin = await api.a_user(Role.ADMIN)
        query = "{ users(last: 5) { totalCount nodes { username } pageInfo { hasPreviousPage hasNextPage } } }"
        for _ in range(2):
            assert len(await cost(api, query, admin)) == 1

    async def test_histories_of_tasks(self, api: Api):
        """By a plan one statement for all tasks."""
        owner, tasks = await a_board(api, 3)
        ends, cursor = "pageInfo { hasPreviousPage hasNextPage }", HISTORY.cursor(1, tasks[0].id)
        query = f'{{ tasks {{ nodes {{ history(last: 5, before: "{cursor}") {{ {ends} nodes {{ version }} }} }} }} }}'
        await api.ask(query, owner)

        if api.server.compiled is not None:
            assert len(await cost(api, query, owner)) == 2

    async def test_a_page_of_users(self, api: Api):
        """One."""
        admin = await api.a_user(Role.ADMIN)

        assert len(await cost(api, "{ users(first: 50) { nodes { username email } } }", admin)) == 1

    @pytest.mark.parametrize("many", [1, 20])
    async def test_nodes_are_read_together(self, api: Api, many: int):
        """All tasks, all users and the people of the tasks: three statements for any number of ids."""
        owner, tasks = await a_board(api, many)
        ids = [task_id(each) for each in tasks] + [user_id(owner)]
        sent = await cost(api, NODES, owner, ids=ids)

        assert len(sent) <= 3
        assert sum("FROM tasks" in statement for statement in sent) == 1

    async def test_equal_fields_are_read_once(self, api: Api):
        """Aliases of the same user share one statement."""
        owner, [task] = await a_board(api, 1)
        query = "query ($id: ID!) { node(id: $id) { ... on Task { a: owner { id } b: owner { id } c: owner { id } } } }"

        assert len(await cost(api, query, owner, id=task_id(task))) == with_people(api)


class TestMutations:
    async def test_a_move(self, api: Api):
        """A read of the row, and a write of the change and the event that locks it."""
        owner, [task] = await a_board(api, 1)
        read, write = await cost(api, STATUS, owner, input={"id": task_id(task), "status": "DONE"})

        assert "xmin FROM tasks" in read
        assert all(word in write for word in ("FOR NO KEY UPDATE", "UPDATE tasks", "INSERT INTO events"))

    async def test_other_mutations(self, api: Api):
        """A read of each table whose rows decide, one write, and a read of the people that the payload shows."""
        owner, [task] = await a_board(api, 1)
        other, one = await api.a_user(), task_id(task)

        assert len(await cost(api, CREATE, owner, input={"title": "Paint"})) == 2
        assert len(await cost(api, UPDATE, owner, input={"id": one, "title": "Paint"})) == 2
        assert len(await cost(api, ASSIGN, owner, input={"id": one, "assigneeId": user_id(other)})) == 4
        assert len(await cost(api, DELETE, owner, input={"id": one})) == 2

    async def test_an_unchanged_status_writes_nothing(self, api: Api):
        """It reads the row."""
        owner, [task] = await a_board(api, 1)
        sent = await cost(api, STATUS, owner, input={"id": task_id(task), "status": "TODO"})

        assert len(sent) == 1


class TestSigningIn:
    async def test_a_cached_token_costs_nothing(self, api: Api):
        """It is read once, and then cached while the lease is fresh."""
        user = await api.a_user()
        with statements(api) as first:
            await api.ask("{ __typename }", user)
            await api.ask("{ me { id } }", await api.token(user))
        with statements(api) as second:
            await api.ask("{ me { id } }", user)

        assert len(first) > len(second) == 1


class TestEvents:
    @pytest.mark.parametrize("times", [1, 4])
    async def test_one_delivery(self, api: Api, times: int):
        """It costs two statements in addition to the two of the change: the task, and its people."""
        owner, [task] = await a_board(api, 1)
        async with serving(api.server.asgi()) as url, listening(api, url, owner) as socket:
            sent = await self._moved(api, owner, task, socket, times)

        assert len(sent) == times * (2 + 2)

    async def test_subscribers_that_may_not_see_the_task_cost_nothing(self, api: Api):
        """They cost no statement."""
        owner, [task] = await a_board(api, 1)
        async with serving(api.server.asgi()) as url, AsyncExitStack() as stack:
            for _ in range(10):
                await stack.enter_async_context(listening(api, url, await api.a_user()))
            socket = await stack.enter_async_context(listening(api, url, owner))
            sent = await self._moved(api, owner, task, socket, 2)

        assert len(sent) == 2 * (2 + 2)

    async def _moved(self, api: Api, owner: UserRow, task: TaskRow, socket: Socket, times: int) -> list[str]:
        await api.ask("{ me { id } }", owner)
        with statements(api) as sent:
            for status in islice(cycle(("IN_PROGRESS", "TODO")), times):
                await api.ask(STATUS, owner, input={"id": task_id(task), "status": status})
                assert (await socket.receive())["type"] == "next"
        return sent
