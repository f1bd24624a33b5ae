"""The limits of a task, its status changes and its dates."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadRequest, Conflict, Invalid, InvalidTransition
from domain.task import (
    MAX_DESCRIPTION,
    MAX_SEARCH,
    MAX_TITLE,
    TaskStatus,
    check_description,
    check_due_at,
    check_due_bound,
    check_search,
    check_title,
    check_transition,
    check_version,
    completed_at,
)

TODO, IN_PROGRESS, DONE, CANCELLED = TaskStatus
MOVES = {
    (TODO, IN_PROGRESS),
    (TODO, DONE),
    (TODO, CANCELLED),
    (IN_PROGRESS, TODO),
    (IN_PROGRESS, DONE),
    (IN_PROGRESS, CANCELLED),
    (DONE, TODO),
    (DONE, IN_PROGRESS),
    (CANCELLED, TODO),
}
OFFSETS = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)


class WithoutOffset(tzinfo):
    """A time zone without an offset from UTC."""

    def utcoffset(self, when: datetime | None) -> None:
        return None

    def dst(self, when: datetime | None) -> None:
        return None

    def tzname(self, when: datetime | None) -> None:
        return None


class TestCheckTransition:
    @pytest.mark.parametrize("target", TaskStatus)
    @pytest.mark.parametrize("current", TaskStatus)
    def test_allowed_status_changes(self, current: TaskStatus, target: TaskStatus):
        """The changes in the table and an unchanged status are allowed; others are refused at `status`."""
        if current is target or (current, target) in MOVES:
            check_transition(current, target)
            return
        with pytest.raises(InvalidTransition) as refusal:
            check_transition(current, target)
        assert refusal.value.path == ("status",)

    def test_a_refusal_lists_the_allowed_statuses(self):
        """The message lists the statuses that can follow."""
        with pytest.raises(InvalidTransition, match="from CANCELLED to DONE; from here it can go to TODO"):
            check_transition(CANCELLED, DONE)


class TestCheckVersion:
    def test_no_version_and_the_current_version_pass(self):
        """Nothing is refused."""
        check_version(3, None)
        check_version(3, 3)

    def test_one_of_several_versions_must_be_current(self):
        """An empty list never matches."""
        check_version(3, {2, 3})
        with pytest.raises(Conflict, match="version 3, not 2 or 4") as refusal:
            check_version(3, {4, 2})
        assert refusal.value.version == 3
        with pytest.raises(Conflict, match="version 3, not any that was named"):
            check_version(3, frozenset())

    @pytest.mark.parametrize("expected", [2, 4, 0, -1, 10**30])
    def test_any_other_version_is_a_conflict(self, expected: int):
        """Older, newer and absurd versions are conflicts; the message has both versions."""
        with pytest.raises(Conflict, match=rf"version 3, not {expected}") as refusal:
            check_version(3, expected)
        assert refusal.value.path == ("expectedVersion",)


class TestTexts:
    def test_a_title_has_1_to_200_characters(self):
        """1 and 200 characters are a title, 0 and 201 are not."""
        assert check_title(" x ") == "x"
        assert check_title("ß" * MAX_TITLE)
        for title in ("", " \n", "x" * (MAX_TITLE + 1)):
            with pytest.raises(Invalid) as refusal:
                check_title(title)
            assert refusal.value.path == ("title",)

    def test_a_description_has_at_most_10_000_characters(self):
        """An empty description and 10,000 characters are allowed; 10,001 are not."""
        assert check_description("") == ""
        assert check_description("x" * MAX_DESCRIPTION)
        with pytest.raises(Invalid, match="10,001 characters long; the maximum is 10,000") as refusal:
            check_description("x" * (MAX_DESCRIPTION + 1))
        assert refusal.value.path == ("description",)


class TestCheckDueAt:
    def test_a_due_date_is_optional(self):
        """None stays None."""
        assert check_due_at(None) is None

    def test_an_instant_is_returned_in_utc(self):
        """It is the same instant."""
        there = datetime(2026, 12, 24, 18, tzinfo=timezone(timedelta(hours=1)))
        due = check_due_at(there)

        assert due == there
        assert due is not None
        assert due.tzinfo is UTC

    @pytest.mark.parametrize("zone", [None, WithoutOffset()])
    def test_a_time_without_an_offset_is_refused(self, zone: tzinfo | None):
        """A time without a zone, or with a zone without an offset, is ambiguous."""
        with pytest.raises(Invalid, match="offset") as refusal:
            check_due_at(datetime(2026, 1, 1, tzinfo=zone))
        assert refusal.value.path == ("dueAt",)

    @pytest.mark.parametrize(
        "due", [datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999_999, UTC)]
    )
    def test_the_first_and_the_last_instant_pass(self, due: datetime):
        """1970 and 9998 are inside the limits."""
        assert check_due_at(due) == due

    @pytest.mark.parametrize(
        "due",
        [
            datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
            datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            datetime(9999, 1, 1, tzinfo=UTC),
            datetime(9998, 12, 31, 23, tzinfo=timezone(timedelta(hours=-1))),
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        ],
    )
    def test_instants_outside_the_limits_are_refused(self, due: datetime):
        """The limits are in UTC whatever the offset; the ends of the calendar are refused without an error."""
        with pytest.raises(Invalid) as refusal:
            check_due_at(due)
        assert refusal.value.path == ("dueAt",)

    @given(st.datetimes(timezones=OFFSETS))
    def test_any_bound_is_accepted_or_refused(self, due: datetime):
        """Every date with an offset is accepted unchanged, or is invalid."""
        try:
            assert check_due_at(due) == due
        except Invalid:
            assert not 1971 <= due.year <= 9997


class TestCheckDueBound:
    def test_a_bound_without_an_offset_is_a_bad_request(self):
        """The refusal names the field of the filter."""
        with pytest.raises(BadRequest, match="dueBefore needs an offset"):
            check_due_bound(datetime(2026, 1, 1), field="dueBefore")  # noqa: DTZ001

    @given(st.datetimes(timezones=OFFSETS))
    def test_any_bound_is_accepted_or_refused(self, bound: datetime):
        """Only instants that UTC cannot express are refused."""
        try:
            assert check_due_bound(bound, field="dueAfter") == bound
        except BadRequest:
            assert bound.year in {1, 9999}


class TestCheckSearch:
    @pytest.mark.parametrize("text", ["abc", "  abc ", "a c", "x" * MAX_SEARCH, "100%"])
    def test_a_search_text_has_3_to_200_characters(self, text: str):
        """The text is stripped, and both limits are allowed."""
        assert check_search(text) == text.strip()

    @pytest.mark.parametrize("text", ["", "ab", " ab ", "x" * (MAX_SEARCH + 1), "abc\x00", "abc\ud800"])
    def test_other_search_texts_are_bad_requests(self, text: str):
        """They are refused before the database reads them."""
        with pytest.raises(BadRequest, match=r"^search "):
            check_search(text)


class TestCompletedAt:
    @pytest.mark.parametrize("status", TaskStatus)
    def test_only_done_is_completed(self, status: TaskStatus):
        """A task is completed at the instant at which it becomes DONE."""
        now = datetime(2026, 1, 1, tzinfo=UTC)
        assert completed_at(status, now) == (now if status is DONE else None)
