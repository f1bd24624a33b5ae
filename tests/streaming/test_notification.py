"""What goes over the bell."""

import json

import pytest

from streaming.notifier import MAX_BYTES, Notification
from tests.streaming.support import a_notification, a_task_event, an_access_event, logged


class TestNotification:
    def test_it_brings_its_events(self):
        """A batch comes out as it went in."""
        batch = logged(a_task_event(), an_access_event(), first=7)

        received = Notification.decode(a_notification("e", batch).encode().decode())

        assert (received.epoch, received.first, received.last, received.events()) == ("e", 7, 8, batch)

    def test_a_big_batch_goes_without_its_events(self):
        """Beyond 256 kB only the range is told."""
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
    def test_garbage_is_refused(self, message):
        """Whatever else is on the channel is a ValueError."""
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

    def test_other_positions_than_announced_are_refused(self):
        """Events must be those of the range."""
        message = json.loads(a_notification("e", logged(a_task_event(), first=3)).encode()) | {"from": 4, "to": 4}

        with pytest.raises(ValueError):
            Notification.decode(json.dumps(message)).events()
