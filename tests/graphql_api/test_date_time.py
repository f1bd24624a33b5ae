"""DateTime follows RFC 3339, and no instant is lost by the digits that a client writes."""

from datetime import UTC, datetime, timedelta

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.schema.date_time import read_instant, write_instant
from tests.graphql_api.test_tasks import CREATE
from tests.support.api import Api

COUNT = "query ($filter: TaskFilter) { tasks(filter: $filter) { totalCount } }"
LIST = """query ($after: String, $order: TaskOrder!) {
  tasks(first: 1, after: $after, orderBy: $order) { nodes { id } pageInfo { endCursor hasNextPage } } }"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
        ("2026-12-24t18:00:00z", "2026-12-24T18:00:00Z"),
        ("2026-12-24 18:00:00Z", "2026-12-24T18:00:00Z"),
        ("2026-12-24T18:00:00-00:00", "2026-12-24T18:00:00Z"),
        ("2026-12-24T18:00:00.5+02:00", "2026-12-24T16:00:00.500000Z"),
        ("2026-12-24T18:00:00.1234569Z", "2026-12-24T18:00:00.123456Z"),
        ("2026-12-24T23:59:59.9999999999999Z", "2026-12-24T23:59:59.999999Z"),
        ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z"),
        ("1990-12-31T15:59:60.25-08:00", "1991-01-01T00:00:00.250000Z"),
    ],
)
def test_rfc_3339_is_read(text: str, expected: str):
    """Any case, any offset, any number of digits, and leap seconds, which count as the next second."""
    assert write_instant(read_instant(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-24", "2026-12-24T18:00Z", "2026-12-24T18:00:00", "2026-12-24T18:00:00.Z", "2026-12-24T24:00:00Z",
        "2026-12-24T18:60:00Z", "2026-12-24T18:00:60Z", "2026-12-24T23:59:60Z", "2026-02-30T00:00:00Z",
        "2026-12-24T18:00:00+24:00", "2026-12-24T18:00:00+01:60", "2026-12-24T18:00:00+0100", "26-12-24T18:00:00Z",
        "٢026-12-24T18:00:00Z", "2026-12-24T18:00:00Z ", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", 5, None,
    ],
)  # fmt: skip
def test_other_text_is_refused(text: object):
    """The message has an example."""
    with pytest.raises(GraphQLError, match="looks like 2026-12-24T18:00:00Z"):
        read_instant(text)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9998, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_written_instants_can_be_read(instant: datetime):
    """To the microsecond."""
    assert read_instant(write_instant(instant)) == instant


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.text("0123456789", max_size=12),
)
def test_extra_digits_are_cut(instant: datetime, digits: str):
    """Stored values and search values are cut in the same way, never rounded up."""
    text = f"{instant:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{instant.microsecond:06}{digits}Z"
    assert read_instant(text) == instant


async def test_no_task_is_lost_between_adjacent_spans(api: Api):
    """A task is found from its own due date on, and in exactly one of two spans that meet there."""
    owner = await api.a_user()
    due = "2026-12-24T18:00:00.0000009Z"
    made = await api.ask(CREATE, owner, input={"title": "x", "dueAt": due})
    shown = made.payload("createTask")["task"]["dueAt"]
    for border in (due, shown, "2026-12-24T18:00:00.000Z"):
        after = (await api.ask(COUNT, owner, filter={"dueAfter": border})).data["tasks"]["totalCount"]
        before = (await api.ask(COUNT, owner, filter={"dueBefore": border})).data["tasks"]["totalCount"]
        assert (after, before) == (1, 0)


@pytest.mark.parametrize("order", ["DUE_ASC", "DUE_DESC", "CREATED_ASC", "UPDATED_DESC"])
async def test_no_task_is_lost_between_pages(api: Api, order: str):
    """Cursors distinguish tasks a microsecond apart."""
    owner, first = await api.a_user(), datetime(2026, 12, 24, 18, tzinfo=UTC)
    for step in (0, 1, 999, 1_000):
        due = first + timedelta(microseconds=step)
        await api.build.a_task(owner, due_at=due, created_at=due, updated_at=due)
    seen: list[str] = []
    page: dict[str, object] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        tasks = (await api.ask(LIST, owner, after=page["endCursor"], order=order)).data["tasks"]
        seen += [node["id"] for node in tasks["nodes"]]
        page = tasks["pageInfo"]
    assert len(seen) == len(set(seen)) == 4
