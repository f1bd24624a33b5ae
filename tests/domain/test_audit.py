"""The rules of the audit log: safe texts, and bounded counts."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain.audit import (
    MAX_FAILURES,
    MAX_LIST,
    MAX_TEXT,
    AuditAction,
    Failure,
    FailureLimits,
    Performer,
    counted_id,
    one_line,
    safe_details,
)

FAILED = AuditAction.SIGN_IN_FAILED
NOON = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)


class TestTexts:
    def test_what_could_forge_an_entry_is_escaped(self):
        """Line breaks, terminal sequences, directions of writing, separators; and backslashes, which escape."""
        assert one_line("a\r\nb") == r"a\x0d\x0ab"
        assert one_line("\x1b[2K") == r"\x1b[2K"
        assert one_line("a\u202eb\u2028c\u0085d") == r"a\u202eb\u2028c\x85d"
        assert one_line(r"a\x0d") == r"a\\x0d"
        assert one_line("\ud800\U000e0001") == r"\ud800\U000e0001"

    def test_ordinary_text_stays(self):
        """Also in other scripts."""
        assert one_line("Mozilla/5.0 (X11) Zoë 東京 🎉") == "Mozilla/5.0 (X11) Zoë 東京 🎉"

    @given(st.text(st.characters(codec=None), max_size=400))
    def test_every_text_becomes_one_printable_line(self, text: str):
        """Whatever it is, and it is cut."""
        line = one_line(text)
        assert len(line.splitlines()) <= 1
        assert not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 or 0xD800 <= ord(each) < 0xE000 for each in line)
        assert len(line) <= MAX_TEXT * 10

    def test_details_are_cut(self):
        """Texts and lists."""
        details = safe_details({"a": "x" * 1_000, "b": tuple("\n" for _ in range(100)), "c": 3, "d": None, "e": True})
        assert details == {"a": "x" * MAX_TEXT, "b": [r"\x0a"] * MAX_LIST, "c": 3, "d": None, "e": True}


class TestCounts:
    def test_an_hour_has_one_id(self):
        """The same parts in the same hour; other parts or another hour give another one."""
        first = counted_id(NOON, "a", "b")
        assert first == counted_id(NOON + timedelta(minutes=29), "a", "b")
        assert first.version == 8
        assert len({first, counted_id(NOON + timedelta(minutes=30), "a", "b"), counted_id(NOON, "ab", "")}) == 3

    def test_many_addresses_are_counted_together(self):
        """Each kind has a maximum; what is beyond it loses the address, and then the account."""
        limits, placed = FailureLimits(), set[Failure]()
        user = Performer(uuid4(), "ada")
        for number in range(5_000):
            placed.add(limits.place(Failure(FAILED, user, f"10.0.{number // 256}.{number % 256}"), placed))
            placed.add(limits.place(Failure(FAILED, None, f"10.0.{number // 256}.{number % 256}"), placed))
        assert len(placed) == MAX_FAILURES[True, True] + MAX_FAILURES[False, True] + 2
        assert {Failure(FAILED, user, None), Failure(FAILED, None, None)} < placed

    def test_many_accounts_are_counted_together(self):
        """At last there is one entry for all others."""
        limits, placed = FailureLimits(), set[Failure]()
        for number in range(10_000):
            placed.add(limits.place(Failure(FAILED, Performer(uuid4(), f"u{number}"), f"a{number}"), placed))
        assert len(placed) == MAX_FAILURES[True, True] + MAX_FAILURES[True, False] + 1

    def test_a_known_failure_needs_no_room(self):
        """It is counted with the entry that exists."""
        limits = FailureLimits(MAX_FAILURES)
        failure = Failure(FAILED, None, "192.0.2.1")
        assert limits.place(failure, {failure}) == failure
        assert limits.place(failure, set()) == Failure(FAILED, None, None)
