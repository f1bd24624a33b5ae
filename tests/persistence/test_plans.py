"""Every kind of list uses an index, in a database with a hundred thousand tasks."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import pytest
from sqlalchemy import text

from domain.actor import OPERATOR, Actor
from domain.audit import AuditAction
from domain.events import EventKind
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.event_log import _AFTER
from persistence.group_commit import MAX_BATCH_SIZE
from persistence.models import (
    AccessTokenRow,
    AuditRow,
    Base,
    CommentRow,
    EventRow,
    LabelRow,
    MembershipRow,
    SessionRow,
    TaskRow,
    UserRow,
    VisibleProjectRow,
    VisibleTaskRow,
    VisibleTrashRow,
    membership_id,
)
from persistence.models.rows import column_names, new_row
from persistence.pagination import PageCursor, PageRequest
from persistence.queries import user as user_reads
from persistence.queries.access_token import token_by_hash
from persistence.queries.audit import ALL_ENTRIES, AUDIT_ORDER, AuditFilter, audit_page
from persistence.queries.comment import COMMENTS
from persistence.queries.event import HISTORY
from persistence.queries.label import LABELS, TASK_LABELS
from persistence.queries.membership import MEMBERS
from persistence.queries.project import PROJECT_ORDER, project_by_key, project_page
from persistence.queries.task import SUBTASKS, task_by_key
from persistence.queries.task_list import EVERYTHING, TaskFilter, TaskOrder
from persistence.queries.trash import trash_page
from persistence.row_locks import RowLock, lock_statements, read_statements
from persistence.unit_of_work import UnitOfWork
from persistence.write_set import WriteSet
from persistence.write_statement import Operation
from tests.persistence.large_dataset import ADMIN, BUSY, IDLE, Ask, LargeDataset, Plan, Sent, later, numbered
from tests.support.amount import cases
from tests.support.reads import assignable_users, task_history, task_page, user_page

ACTORS: Final = {"admin": ADMIN, "busy": BUSY, "idle": IDLE}  # a moderator sees what an admin sees
FILTERS: Final = {
    "none": EVERYTHING,
    "status": TaskFilter(status=(TaskStatus.DONE,)),
    "statuses": TaskFilter(status=(TaskStatus.TODO, TaskStatus.IN_PROGRESS)),
    "priority": TaskFilter(priority=(TaskPriority.MEDIUM,)),
    "priorities": TaskFilter(priority=(TaskPriority.HIGH, TaskPriority.URGENT)),
    "owner": TaskFilter(owner_id=BUSY.user_id),
    "assignee": TaskFilter(assignee_id=IDLE.user_id),
    "due after": TaskFilter(due_after=later(90_000)),
    "due before": TaskFilter(due_before=later(10_000)),
    "due between": TaskFilter(due_after=later(50_000), due_before=later(51_440)),
    "search": TaskFilter(search="boat 4711"),
    "search in vain": TaskFilter(search="submarine"),
    "project": TaskFilter(project_id=numbered(1)),
    "small project": TaskFilter(project_id=numbered(3)),
    "status in a project": TaskFilter(project_id=numbered(1), status=(TaskStatus.DONE,)),
    "assignee in a project": TaskFilter(project_id=numbered(1), assignee_id=IDLE.user_id),
    "label": TaskFilter(label_ids=(numbered(1),)),
    "subtasks of a task": TaskFilter(parent_id=numbered(60)),
    "no subtasks in a project": TaskFilter(project_id=numbered(1), is_subtask=False),
    "labels in a project": TaskFilter(project_id=numbered(1), label_ids=(numbered(1), numbered(2))),
    "search in a project": TaskFilter(project_id=numbered(1), search="boat 4711"),
    "all of them": TaskFilter(
        status=(TaskStatus.TODO,),
        priority=(TaskPriority.URGENT,),
        owner_id=BUSY.user_id,
        due_after=later(0),
        search="hull",
    ),
}
IN_ALL_PROJECTS: Final = [order for order in TaskOrder if order is not TaskOrder.RANK]
"""The orders of lists with tasks of all projects."""
# Serve no list: they keep values unique, or rows together when what they refer to goes.
BY_CONSTRAINT: Final = {
    "access_tokens": {"pk_access_tokens", "uq_access_tokens_token_hash", "ix_access_tokens_member"},
    "audit_entries": {"pk_audit_entries"},
    "comments": {"pk_comments"},
    "event_floors": {"pk_event_floors"},
    "events": {"pk_events"},
    "idempotency_keys": {"pk_idempotency_keys"},
    "sessions": {"pk_sessions", "uq_sessions_token_hash"},
    "sign_in_codes": {"pk_sign_in_codes", "uq_sign_in_codes_code_hash"},
    "task_texts": {"pk_task_texts"},
    "labels": {"pk_labels"},
    "log_state": {"pk_log_state"},
    "memberships": {"pk_memberships"},
    "project_keys": {"pk_project_keys", "ix_project_keys_project_id"},
    "projects": {"pk_projects"},
    "task_counters": {"pk_task_counters"},
    "task_keys": {"pk_task_keys", "ix_task_keys_task_id"},
    "trash": {"pk_trash"},
    "trusted_documents": {"pk_trusted_documents", "uq_trusted_documents_serial"},
    "tasks": {"pk_tasks"},
    "used_tokens": {"pk_used_tokens", "ix_used_tokens_session_id"},
    "users": {"pk_users", "uq_users_email_lower", "ix_users_project_id"},  # the dataset has no service accounts
    "alembic_version": {"alembic_version_pkc"},
}


NOT_FILLED: Final = {
    *("identities", "single_uses", "invitations", "mails", "link_tokens", "user_deletions", "reserved_names"),
}
"""Tables of which the dataset has no rows: the plans of their statements would tell nothing."""


@pytest.fixture(scope="module")
async def dataset(new_database: Callable[[], str]) -> AsyncIterator[LargeDataset]:
    """The large dataset."""
    database = Database(new_database(), pool_size=2)
    dataset = LargeDataset(database)
    await dataset.fill()
    yield dataset
    await database.close()


def somewhere(order: TaskOrder, number: int = 50_000) -> PageCursor:
    """A cursor in the middle of an order."""
    special = {TaskOrder.PRIORITY_ASC: "2", TaskOrder.PRIORITY_DESC: "2", TaskOrder.RANK: f"V{number:07}"}
    return PageCursor(order.value, special.get(order) or later(number).isoformat(), numbered(number))


def requests(order: TaskOrder) -> list[PageRequest]:
    """From the start, and from the middle in both directions."""
    middle, further = somewhere(order), somewhere(order, 60_000)
    after, before = (further, middle) if order.descending else (middle, further)
    return [
        PageRequest(20),
        PageRequest(20, after),
        PageRequest(20, before=before, backward=True),
        PageRequest(20, after, before, backward=True),
    ]


async def plan_of_page(
    dataset: LargeDataset, actor: Actor, wanted: TaskFilter, order: TaskOrder, request: PageRequest
) -> Plan:
    """How a page is found."""
    return await dataset.plan(actor, lambda uow: task_page(uow, request, wanted=wanted, order=order))


async def plan_of_count(dataset: LargeDataset, actor: Actor, wanted: TaskFilter) -> Plan:
    """How tasks are counted."""
    return await dataset.plan(actor, lambda uow: uow.tasks.count(wanted))


def orders_with(wanted: str) -> Sequence[TaskOrder]:
    """All orders of a list, or with few cases an eighth of them, which differs from filter to filter."""
    every = list(TaskOrder) if FILTERS[wanted].project_id is not None else IN_ALL_PROJECTS
    first = list(FILTERS).index(wanted)
    return [every[(first + number) % len(every)] for number in range(cases(len(every)))]


class TestTasks:
    @pytest.mark.parametrize("wanted", FILTERS)
    @pytest.mark.parametrize("actors", ACTORS)
    async def test_a_page_never_reads_the_whole_table(self, dataset: LargeDataset, actors: str, wanted: str):
        """In every order and direction, from an end and from the middle, a page and its ends are found by an index."""
        for order in orders_with(wanted):
            for request in requests(order):
                plan = await plan_of_page(dataset, ACTORS[actors], FILTERS[wanted], order, request)
                assert not plan.reads_all_of("tasks"), (order, request)
                assert not plan.reads_all_of("task_texts"), (order, request)
                assert plan.indexes

    @pytest.mark.parametrize(
        ("wanted", "index"),
        [("project", "ix_tasks_project_id_rank_id"), ("status in a project", "ix_tasks_project_id_status_rank_id")],
    )
    @pytest.mark.parametrize("actors", ACTORS)
    async def test_the_manual_order_has_indexes(self, dataset: LargeDataset, actors: str, wanted: str, index: str):
        """For all tasks of a project, and for a column: only the page is read."""
        for request in requests(TaskOrder.RANK):
            plan = await plan_of_page(dataset, ACTORS[actors], FILTERS[wanted], TaskOrder.RANK, request)
            assert index in plan.indexes, (request, plan.indexes)
            assert not any(node["Node Type"] == "Sort" and node["Plan Rows"] > 21 for node in plan.nodes)

    @pytest.mark.parametrize(
        ("wanted", "index"),
        [
            ("none", "ix_tasks_owner_id_created_at_id_personal"),
            ("none", "ix_tasks_assignee_id_created_at_id_of_others"),
            ("assignee", "ix_tasks_assignee_id_created_at_id"),
            ("small project", "ix_tasks_project_id_created_at_id"),
            ("labels in a project", "ix_tasks_label_ids"),
            ("search in a project", "ix_task_texts_search_keys"),
        ],
    )
    async def test_frequent_lists_have_one_plan_for_all_values(self, dataset: LargeDataset, wanted: str, index: str):
        """PostgreSQL plans them a few times and then no more, and the plan reads only rows that may match."""
        plan, planned = await dataset.plan_and_count(
            IDLE, lambda uow: task_page(uow, PageRequest(20), wanted=FILTERS[wanted], order=TaskOrder.CREATED_DESC)
        )
        assert index in plan.indexes, plan.indexes
        assert not plan.indexes & {"ix_task_texts_title_trgm", "ix_tasks_created_at_id"}
        assert planned == 5

    @pytest.mark.parametrize("usual", ["boat", "boat 4711"])
    @pytest.mark.parametrize("actors", ACTORS)
    async def test_a_rare_text_is_found_by_its_index_whatever_was_searched_before(
        self, dataset: LargeDataset, actors: str, usual: str
    ):
        """A plan for all texts would follow the order of the list, and read all tasks."""

        def search(searched: str) -> Ask:
            wanted = TaskFilter(search=searched)
            return lambda uow: task_page(uow, PageRequest(20), wanted=wanted, order=TaskOrder.CREATED_DESC)

        pages = await dataset.buffers_after(ACTORS[actors], search(usual), search("no task has this"))
        assert pages < 10_000  # 400,000 are used if the text of each task is read

    @pytest.mark.parametrize("order", IN_ALL_PROJECTS)
    async def test_both_directions_follow_the_same_index(self, dataset: LargeDataset, order: TaskOrder):
        """Only the page itself is sorted."""
        forward, *others = [
            await plan_of_page(dataset, ADMIN, EVERYTHING, order, request) for request in requests(order)
        ]
        for plan in others:
            assert plan.indexes - {"pk_tasks"} == forward.indexes
            assert not any(node["Node Type"] == "Sort" and node["Plan Rows"] > 21 for node in plan.nodes)

    @pytest.mark.parametrize("wanted", FILTERS)
    @pytest.mark.parametrize("actors", ACTORS)
    async def test_only_an_unfiltered_count_reads_the_whole_table(
        self, dataset: LargeDataset, actors: str, wanted: str
    ):
        """For a user who sees all tasks."""
        plan = await plan_of_count(dataset, ACTORS[actors], FILTERS[wanted])

        everything = actors == "admin" and wanted == "none"
        assert everything or not plan.reads_all_of("tasks")
        assert not plan.reads_all_of("task_texts")

    async def test_the_tasks_of_a_project_are_counted_in_an_index(self, dataset: LargeDataset):
        """No row is read for it: in a large table, each of them is in another block."""
        plan = await plan_of_count(dataset, BUSY, FILTERS["project"])

        assert "Index Only Scan" in {node["Node Type"] for node in plan.nodes if node.get("Relation Name") == "tasks"}

    @pytest.mark.parametrize("actors", ACTORS)
    async def test_a_slice_and_a_batch_are_found_by_an_index(self, dataset: LargeDataset, actors: str):
        """Tasks from an offset, and tasks by their ids."""
        near = await dataset.plan(ACTORS[actors], lambda uow: uow.tasks.slice(skip=10, limit=10))
        batch = await dataset.plan(
            ACTORS[actors], lambda uow: uow.tasks.find_many([numbered(i) for i in range(1, 101)])
        )

        assert not near.reads_all_of("tasks")
        assert not batch.reads_all_of("tasks")


async def everything_else(uow: UnitOfWork) -> None:
    """What is asked besides lists of tasks."""
    user = PageCursor("users.created", later(1_000).isoformat(), numbered(1_000))
    await user_page(uow, PageRequest(20, user))
    await user_page(uow, PageRequest(20, before=user, backward=True))
    event = PageCursor(HISTORY.order, "90000", numbered(7))
    await task_history(uow, numbered(7), PageRequest(20, event))
    await task_history(uow, numbered(7), PageRequest(20, before=event, backward=True))
    comment = PageCursor(COMMENTS.order, str(numbered(90_000)), numbered(7))
    await uow.page(CommentRow, COMMENTS.page([numbered(7)], PageRequest(20, comment)))
    await uow.comments.find(numbered(7))
    await uow.users.find_by_name("User17")
    await assignable_users(uow, "user19", at_most=10)
    of_projects = replace(uow.actor, role=Role.USER, finds_everyone=False)
    await uow.rows(UserRow, user_reads.assignable_users(of_projects, "user19", at_most=10))
    await uow.users.lock_active_admins(numbered(1_999))
    await uow.sessions.list_of_user(numbered(7), now=uow.now, at_most=100)
    await uow.sessions.lock_by_token(b"x" * 32)
    await uow.keys.usage_of(numbered(7), since=later(0))
    await uow.sessions.find_used(b"x" * 32)
    await uow.sessions.end_of_user(numbered(2_001))
    await uow.sessions.end(numbered(2_001))
    await uow.sessions.remove_expired(later(0))
    await uow.sessions.through_provider("one", subject="7", session=None)
    await uow.sessions.through_provider("one", subject=None, session="7")
    await uow.rows(UserRow, user_reads.service_accounts(uow.actor))
    await uow.rows(UserRow, user_reads.service_accounts(uow.actor, numbered(1)))
    await uow.access_tokens.list_of_user(numbered(7), at_most=100)
    await uow.access_tokens.count(numbered(7))
    await uow.rows(AccessTokenRow, token_by_hash(b"x" * 32, with_roles=False))
    await uow.access_tokens.note_use([numbered(7), numbered(8)], later(0))
    await uow.access_tokens.end(numbered(2_001), user_id=numbered(2))
    await uow.access_tokens.end_of_user(numbered(2_001))
    await uow.access_tokens.remove_expired(later(0))
    await uow.events.head()
    await uow.events.trim(later(-1))
    await uow.keys.remove_older(later(0))
    await uow.trash.remove_older(later(10), at_most=10)
    await uow.trash.remove_some_of(numbered(7), at_most=10)
    await uow.audit_entries.remove_older(later(10), at_most=10)
    await uow.audit_entries.known_parts([AuditAction.SIGN_IN_FAILED], later(49_990))
    entry = PageCursor(AUDIT_ORDER, later(30_000).isoformat(), numbered(30_000))
    wanted = AuditFilter(numbered(7)), AuditFilter(action=AuditAction.ROLE_CHANGED), AuditFilter(until=later(20_000))
    for each in (ALL_ENTRIES, *wanted):
        await uow.page(AuditRow, audit_page(PageRequest(20, entry), each))
        await uow.page(AuditRow, audit_page(PageRequest(20, before=entry, backward=True), each))
    await uow.trash.deleted_with(numbered(200_001))
    await uow.tasks.subtasks_of(numbered(60))
    await uow.page(VisibleTaskRow, SUBTASKS.page([numbered(60)], PageRequest(20)))
    await uow.memberships.lock_managed(numbered(4))
    await uow.memberships.managed_by(numbered(4))
    await uow.memberships.count_managed(numbered(4))
    await uow.projects.count_keys(numbered(1))
    await uow.memberships.other_active_managers(numbered(2), beside=numbered(4))
    await uow.memberships.successors_of(numbered(4), [numbered(2), numbered(5)])


async def a_project_of(uow: UnitOfWork) -> None:
    """One project, by its id and by an old key, and its members."""
    await uow.projects.find(numbered(1))
    await uow.rows(VisibleProjectRow, project_by_key(uow.actor, "old1"))
    await uow.page(MembershipRow, MEMBERS.page([numbered(1)], PageRequest(20)))
    await uow.memberships.find(membership_id(numbered(1), numbered(3)))
    await uow.projects.owner_of_key("P7")
    await uow.page(LabelRow, LABELS.page([numbered(1)], PageRequest(20)))
    await uow.page(LabelRow, TASK_LABELS.page([numbered(6)], PageRequest(20)))
    await uow.labels.count(numbered(1))
    await uow.projects.has_tasks(numbered(1))
    await uow.memberships.users_in(numbered(1))
    await uow.rows(VisibleTaskRow, task_by_key(uow.actor, "old1-4710"))
    await uow.page(VisibleTrashRow, trash_page(uow.actor, PageRequest(20), numbered(1)))
    await uow.page(VisibleTrashRow, trash_page(uow.actor, PageRequest(20), None))


async def projects_of(uow: UnitOfWork) -> None:
    """Pages of projects."""
    for request in (PageRequest(20), PageRequest(20, PageCursor(PROJECT_ORDER, "P15", numbered(15)))):
        for is_archived in (None, False):
            await uow.page(VisibleProjectRow, project_page(uow.actor, request, is_archived=is_archived))


class TestEverythingElse:
    async def test_no_question_reads_a_whole_table(self, dataset: LargeDataset):
        """Users, sessions, tokens and events are found by an index too."""
        plan = await dataset.plan(ADMIN, everything_else)
        tables = ("users", "sessions", "access_tokens", "used_tokens", "events", "idempotency_keys", "comments")
        for table in (*tables, "audit_entries"):
            assert not plan.reads_all_of(table), table

    async def test_pages_of_the_log(self, dataset: LargeDataset):
        """They are found by their positions."""
        plan = await dataset.plan_of((_AFTER, (50_000, 100)))
        assert plan.indexes == {"uq_events_position"}


TABLES: Final[dict[str, tuple[type[Base], int]]] = {
    "tasks": (TaskRow, 12),
    "users": (UserRow, 9),
    "sessions": (SessionRow, 7),
}
"""Rows that are locked: their model, and the number of the first one in the dataset."""


class Rows(NamedTuple):
    """Rows, the statements that read them and lock them, and their versions."""

    statements: list[Sent]
    rows: list[Base]
    versions: dict[RowLock, int]


async def rows_of(dataset: LargeDataset, table: str, many: int) -> Rows:
    """Many rows of a table."""
    model, first = TABLES[table]
    locks = [RowLock(model, numbered(first + number)) for number in range(many)]
    [reading], locking = read_statements(locks), lock_statements(locks)
    async with dataset.database.unit_of_work(OPERATOR) as uow:
        found = list(reading.rows(await uow.transaction.fetch(reading.text, reading.ids)))
    assert len(found) == many
    statements: list[Sent] = [(statement.text, [statement.ids]) for statement in (reading, *locking)]
    return Rows(statements, [row for _, row, _ in found], {lock: version for lock, _, version in found})


def written(operation: Operation, found: Rows) -> list[Sent]:
    """The statements that write these rows with an event of each: locked before, and locked by the statement."""
    changes = WriteSet()
    for row in found.rows:
        if operation is Operation.UPDATE:
            changes.update(row, column_names(type(row))[1:])
        else:
            changes.delete(row)
        changes.insert(new_row(EventRow, kind=EventKind.TASK, payload={}, recorded_at=later(0)))
    return [(each.text, each.arguments) for each in (changes.written(), changes.written(found.versions))]


class TestWrites:
    """The statements that read or lock rows, and those that write them."""

    @pytest.mark.parametrize(("table", "many"), [*((table, 1) for table in TABLES), ("tasks", MAX_BATCH_SIZE)])
    async def test_rows_are_locked_and_written_by_their_keys(self, dataset: LargeDataset, table: str, many: int):
        """One row of each table, and a whole batch of tasks. The other tables are so small that a batch may scan."""
        found = await rows_of(dataset, table, many)
        for statement in (*found.statements, *written(Operation.UPDATE, found), *written(Operation.DELETE, found)):
            plan = await dataset.plan_of(statement)
            assert not plan.reads_all_of(table), statement
            assert f"pk_{table}" in plan.indexes, statement

    async def test_prepared_for_any_number_of_tasks(self, dataset: LargeDataset):
        """The generic plans, which prepared statements get."""
        found = await rows_of(dataset, "tasks", 1)
        for statement, arguments in (
            *found.statements, *written(Operation.UPDATE, found), *written(Operation.DELETE, found)
        ):  # fmt: skip
            plan = await dataset.plan_for_any(statement, parameters=len(arguments))
            assert not plan.reads_all_of("tasks"), statement

    async def test_the_work_is_proportional_to_the_number_of_rows(self, dataset: LargeDataset):
        """A task uses a bounded number of pages, alone and in a batch: far fewer than the table has."""
        for many in (1, MAX_BATCH_SIZE):
            found = await rows_of(dataset, "tasks", many)
            assert await dataset.buffers(*found.statements) <= 20 * many
            for statement in written(Operation.UPDATE, found):
                assert await dataset.buffers(statement) <= 250 * many


class TestProjects:
    @pytest.mark.parametrize("actor", [ADMIN, BUSY, IDLE], ids=["admin", "busy", "idle"])
    async def test_one_project_is_found_by_an_index(self, dataset: LargeDataset, actor: Actor):
        """By its id and by an old key, and its members, also for a member of a thousand projects."""
        plan = await dataset.plan(actor, a_project_of)
        for table in ("projects", "project_keys", "memberships", "users", "tasks", "labels"):
            assert not plan.reads_all_of(table), table

    @pytest.mark.parametrize("actor", [BUSY, IDLE], ids=["busy", "idle"])
    async def test_a_list_reads_the_memberships_of_the_user(self, dataset: LargeDataset, actor: Actor):
        """And no others."""
        plan = await dataset.plan(actor, projects_of)
        assert not plan.reads_all_of("memberships")

    async def test_an_admin_reads_a_page_in_the_order_of_keys(self, dataset: LargeDataset):
        """By the index of keys."""
        plan = await dataset.plan(ADMIN, projects_of)
        assert not plan.reads_all_of("projects")
        assert "uq_projects_key" in plan.indexes


class TestIndexes:
    async def test_every_index_is_used(self, dataset: LargeDataset):
        """An index that neither answers a question nor keeps a constraint is not there: each one slows every write."""
        plans = [await dataset.plan(ADMIN, everything_else)]
        plans += [await plan_of_page(dataset, ADMIN, EVERYTHING, order, PageRequest(20)) for order in IN_ALL_PROJECTS]
        plans += [
            await plan_of_page(dataset, BUSY, FILTERS[wanted], TaskOrder.RANK, PageRequest(20))
            for wanted in ("project", "status in a project")
        ]
        plans += [await plan_of_count(dataset, ADMIN, wanted) for wanted in FILTERS.values()]
        plans += [await plan_of_count(dataset, IDLE, EVERYTHING)]
        plans += [await plan_of_page(dataset, BUSY, FILTERS["small project"], TaskOrder.CREATED_DESC, PageRequest(20))]
        plans += [await dataset.plan(actor, ask) for actor in (ADMIN, BUSY) for ask in (a_project_of, projects_of)]
        used = set().union(*(plan.indexes for plan in plans))

        async with dataset.database.connect() as connection:
            query = "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'"
            indexes = [
                (table, name) for table, name in await connection.execute(text(query)) if table not in NOT_FILLED
            ]
        idle = {name for table, name in indexes if name not in BY_CONSTRAINT[table]}
        assert idle - used == set()
