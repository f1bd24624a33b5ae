"""The notifications between processes."""

import json

import pytest

from streaming.notifier import MAX_BYTES, Notification
from tests.streaming.support import a_notification, a_task_event, an_access_event, logged


class TestNotification:
    def test_a_notification_contains_its_events(self):
        """The batch is equal after decoding."""
        batch = logged(a_task_event(), an_access_event(), first=7)

        received = Notification.decode(a_notification("e", batch).encode().decode())

        events = [(each.position, each.event) for each in received.events()]

        assert (received.epoch, received.first, received.last) == ("e", 7, 8)
        assert events == [(each.position, each.event) for each in batch]

    def test_a_large_batch_is_sent_without_events(self):
        """Above 256 kB it has only the range."""
        batch = logged(*(a_task_event(title="x" * 200) for _ in range(1_000)))

        message = a_notification("e", batch).encode()

        assert len(message) < MAX_BYTES
        assert Notification.decode(message.decode()) == Notification("e", 1, 1_000, None)

    @pytest.mark.parametrize(
        "message",
        [
            *("", "x", "null", "[]", "1", "{}", "\ufffd", "[" * 2_000),
            '{"epoch": 1, "from": 1, "to": 1}',
            '{"epoch": "e", "from": 2, "to": 1}',
            '{"epoch": "e", "from": true, "to": 1}',
            '{"epoch": "e", "from": 1, "to": 1, "events": {}}',
        ],
    )
    def test_other_messages_are_refused(self, message):
        """With a ValueError."""
        with pytest.raises(ValueError):
            Notification.decode(message)

    @pytest.mark.parametrize(
        "events", [[1], [None], [{}], [[]], [[1, "TASK"]], [["1", "TASK", {}]], [[2, "TASK", {}]], []]
    )
    def test_garbage_inside_is_refused(self, events):
        """Events that are none, or not those of the range, are a ValueError."""
        message = json.dumps({"epoch": "e", "from": 1, "to": 1, "events": events})

        with pytest.raises(ValueError):
            Notification.decode(message).events()

    def test_positions_outside_the_range_are_refused(self):
        """Events must match the range."""
        message = json.loads(a_notification("e", logged(a_task_event(), first=3)).encode()) | {"from": 4, "to": 4}

        with pytest.raises(ValueError):
            Notification.decode(json.dumps(message)).events()
