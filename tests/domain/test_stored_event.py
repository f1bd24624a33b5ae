"""An event of the log is decoded when it is read, and its payload says before that whom it may concern."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import stored_event
from domain.event_parsing import EVENTS_OF_NOUNS, read_event
from domain.events import AccessChange, AccessEvent, EventKind, TaskEvent
from domain.stored_event import StoredEvent
from domain.unknown_events import SkippedEvent
from tests.domain.test_event_parsing import ANYTHING, access_payload, task_payload, without

ALICE, BOB, CAROL, SHOP, SITE = (str(UUID(int=number)) for number in range(101, 106))
PERSONAL, ASSIGNED = {"owner": ALICE, "assignee": None}, {"owner": ALICE, "assignee": BOB}
IN_SHOP, IN_SITE = PERSONAL | {"project": SHOP}, ASSIGNED | {"project": SITE}
NOUNS = [event.kind.value for event in EVENTS_OF_NOUNS]


def an_event(kind: object = "TASK", **values: Any) -> StoredEvent:
    """An event in its stored form."""
    return StoredEvent(1, kind, task_payload(**values), 7)


class TestDecoding:
    def test_it_is_decoded_once_and_stays(self, monkeypatch: pytest.MonkeyPatch):
        """When it is read for the first time; everything else is known before."""
        read: list[Any] = []
        monkeypatch.setattr(
            stored_event, "read_event", lambda kind, payload: read.append(payload) or read_event(kind, payload)
        )
        stored = an_event()
        assert (stored.position, stored.fingerprint, stored.task_id, read) == (1, 7, UUID(int=2), [])

        first = stored.event
        assert isinstance(first, TaskEvent)
        assert stored.event is first
        assert read == [task_payload()]

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
        event = an_event(kind, before=before, after=after, by=CAROL)

        assert {each for each in (ALICE, BOB, CAROL, SHOP, SITE) if not event.is_only_of_others({each})} == concerned
        assert event.is_only_of_others(set())
        assert not event.is_only_of_others({CAROL, SITE, SHOP, ALICE})

    def test_a_deletion_concerns_all(self):
        """The people of a deleted task are remembered."""
        assert not an_event(before=PERSONAL, after=None).is_only_of_others(set())

    @pytest.mark.parametrize("kind", ["ACCESS", "PROJECT", "OF_TOMORROW", None, 7, ["TASK"], {}])
    def test_other_kinds_concern_all(self, kind: object):
        """Whatever their payload looks like."""
        assert not an_event(kind).is_only_of_others(set())

    @pytest.mark.parametrize(
        "payload",
        [
            *(None, [], "x", 7, {}, without(task_payload(), "before"), without(task_payload(), "after")),
            *(task_payload(after=value) for value in ("x", [], 7, {"owner": ALICE, "watchers": [BOB]})),
            *(task_payload(before=value) for value in ("x", [], 7, {"owner": ALICE, "watchers": {}})),
        ],
    )
    def test_other_forms_concern_all(self, payload: object):
        """They are decoded, and counted if they cannot be."""
        assert not StoredEvent(1, "TASK", payload).is_only_of_others(set())

    def test_a_decoded_event_concerns_all(self):
        """Its payload is gone, and nothing is saved any more."""
        event = an_event()
        assert event.is_only_of_others(set())
        assert isinstance(event.event, TaskEvent)

        assert not event.is_only_of_others(set())
        assert event.task_id is None

    @pytest.mark.parametrize("task", [None, 7, "x", [], {}])
    def test_a_task_that_cannot_be_read_is_none(self, task: object):
        """Then the event is damaged, and no task of the cache is concerned."""
        event = an_event(task=task)

        assert event.task_id is None
        assert event.event == SkippedEvent(EventKind.TASK.value)

    @given(kind=st.sampled_from(("TASK", *NOUNS, "ACCESS")) | ANYTHING, payload=ANYTHING, side=ANYTHING)
    def test_nothing_raises(self, kind: object, payload: Any, side: Any):
        """Events may have been written by a newer version, or damaged."""
        for each in (payload, task_payload(before=side), task_payload(after=side), task_payload(task=side)):
            event = StoredEvent(1, kind, each)
            assert event.is_only_of_others({ALICE}) in {True, False}
            assert event.task_id is None or isinstance(event.task_id, UUID)
            assert event.event == read_event(kind, each)
