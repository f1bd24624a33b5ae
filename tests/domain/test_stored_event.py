"""An event of the log is decoded when it is read, and its payload says before that whom it may concern."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import stored_event
from domain.event_parsing import EVENTS_OF_NOUNS, read_event
from domain.events import AccessChange, AccessEvent, EventKind, LoggedEvent, TaskEvent
from domain.stored_event import StoredEvent, task_id_of
from domain.unknown_events import SkippedEvent
from tests.domain.test_event_parsing import ANYTHING, access_payload, task_payload, without

ALICE, BOB, CAROL, SHOP, SITE = (str(UUID(int=number)) for number in range(101, 106))
PERSONAL, ASSIGNED = {"owner": ALICE, "assignee": None}, {"owner": ALICE, "assignee": BOB}
IN_SHOP, IN_SITE = PERSONAL | {"project": SHOP}, ASSIGNED | {"project": SITE}
OTHER_SIDES: list[Any] = ["x", [], 7, {"owner": ALICE, "watchers": [BOB]}, {"owner": {}}]
NOUNS = [event.kind.value for event in EVENTS_OF_NOUNS]


def an_event(kind: object = "TASK", **values: Any) -> StoredEvent:
    """An event in its stored form."""
    return StoredEvent(1, kind, task_payload(**values), 7)


def is_decoded(stored: StoredEvent) -> bool:
    """Whether the event is set, and not only made when it is read."""
    try:
        LoggedEvent.__dict__["event"].__get__(stored)
    except AttributeError:
        return False
    return True


def concerns(stored: StoredEvent, *ids: str) -> bool:
    """Whether it is decoded for these users and projects."""
    return stored.decode_for(set(ids)) is None


class TestDecoding:
    def test_it_is_decoded_once_and_stays(self, monkeypatch: pytest.MonkeyPatch):
        """When it is read for the first time; everything else is known before."""
        read: list[Any] = []

        def read_and_note(kind: object, payload: Any) -> Any:
            read.append(payload)
            return read_event(kind, payload)

        monkeypatch.setattr(stored_event, "read_event", read_and_note)
        stored = an_event()
        assert (stored.position, stored.fingerprint, read) == (1, 7, [])

        first = stored.event
        assert isinstance(first, TaskEvent)
        assert stored.event is first
        assert stored.decode_for(set()) is None
        assert read == [task_payload()]

    def test_it_is_decoded_for_those_whom_it_may_concern(self):
        """Until then its payload is kept, and returned."""
        stored = an_event(before=IN_SHOP, after=IN_SHOP)
        assert stored.decode_for({BOB, SITE}) == task_payload(before=IN_SHOP, after=IN_SHOP)
        assert not is_decoded(stored)
        assert stored.decode_for({BOB, SHOP}) is None

        assert is_decoded(stored)
        assert isinstance(stored.event, TaskEvent)

    def test_none_is_everyone(self):
        """Users who see everything need each event."""
        stored = an_event()
        assert stored.decode_for(None) is None

        assert is_decoded(stored)

    @pytest.mark.parametrize("kind", ["TASK", *NOUNS, "PROJECT", "OF_TOMORROW", 7, ["TASK"]])
    def test_other_kinds_are_no_changes_of_rights(self, kind: object, monkeypatch: pytest.MonkeyPatch):
        """And are not decoded to find that out."""
        monkeypatch.delattr(stored_event, "read_event")

        assert StoredEvent(1, kind, access_payload()).access_news is None

    def test_changes_of_rights_are_found(self):
        """They are decoded."""
        event = AccessEvent(UUID(int=1), AccessChange.DISABLED, None, None, UUID(int=1), datetime.now(UTC), None)

        assert StoredEvent(1, "ACCESS", event.to_json()).access_news == event

    def test_it_has_no_other_attributes(self):
        """Those that are missing are reported by their names."""
        with pytest.raises(AttributeError, match="payload"):
            _ = an_event().payload


class TestAudience:
    @pytest.mark.parametrize("kind", ["TASK", *NOUNS])
    @pytest.mark.parametrize(
        ("before", "after", "concerned"),
        [
            (PERSONAL, PERSONAL, {ALICE}),
            (None, ASSIGNED, {ALICE, BOB}),
            (PERSONAL, ASSIGNED, {ALICE, BOB}),
            (ASSIGNED, PERSONAL, {ALICE, BOB}),
            (IN_SHOP, IN_SHOP, {ALICE, SHOP}),
            (IN_SHOP, IN_SITE, {ALICE, BOB, SHOP, SITE}),
            (IN_SITE, PERSONAL, {ALICE, BOB, SITE}),
        ],
    )
    def test_it_concerns_the_people_and_projects_of_both_sides(
        self, kind: str, before: dict[str, Any] | None, after: dict[str, Any], concerned: set[str]
    ):
        """Nobody else, also not who made the change."""

        def is_needed_by(*ids: str) -> bool:
            return concerns(StoredEvent(1, kind, task_payload(before=before, after=after, by=CAROL)), *ids)

        assert {each for each in (ALICE, BOB, CAROL, SHOP, SITE) if is_needed_by(each)} == concerned
        assert not is_needed_by()
        assert is_needed_by(CAROL, SITE, SHOP, ALICE)

    def test_a_deletion_concerns_all(self):
        """The people of a deleted task are remembered."""
        assert concerns(an_event(before=PERSONAL, after=None))

    @pytest.mark.parametrize("kind", ["ACCESS", "PROJECT", "OF_TOMORROW", None, 7, ["TASK"], {}])
    def test_other_kinds_concern_all(self, kind: object):
        """Whatever their payload looks like."""
        assert concerns(an_event(kind))

    @pytest.mark.parametrize(
        "payload",
        [
            *(None, [], "x", 7, {}, without(task_payload(), "before"), without(task_payload(), "after")),
            *(task_payload(after=value) for value in OTHER_SIDES),
            *(task_payload(before=value) for value in OTHER_SIDES),
        ],
    )
    def test_other_forms_concern_all(self, payload: object):
        """They are decoded, and counted if they cannot be."""
        assert concerns(StoredEvent(1, "TASK", payload))

    @pytest.mark.parametrize("task", [None, 7, "x", [], {}])
    def test_a_task_that_cannot_be_read_is_none(self, task: object):
        """Then the event is damaged, and no task of the cache is concerned."""
        event = an_event(task=task)
        payload = event.decode_for(set())
        assert payload is not None

        assert task_id_of(payload) is None
        assert event.event == SkippedEvent(EventKind.TASK.value)

    def test_the_task_of_an_undecoded_event(self):
        """Its cached row is outdated."""
        assert task_id_of(task_payload()) == UUID(int=2)

    @given(kind=st.sampled_from(("TASK", *NOUNS, "ACCESS")) | ANYTHING, payload=ANYTHING, side=ANYTHING)
    def test_nothing_raises(self, kind: object, payload: Any, side: Any):
        """Events may have been written by a newer version, or damaged."""
        for each in (payload, task_payload(before=side), task_payload(after=side), task_payload(task=side)):
            event = StoredEvent(1, kind, each)
            undecoded = event.decode_for({ALICE})
            assert undecoded is None or task_id_of(undecoded) is None or isinstance(task_id_of(undecoded), UUID)
            assert event.event == read_event(kind, each)
