"""What the bell says: how far the log reaches now, and mostly the events themselves."""

from dataclasses import dataclass
from typing import Any, Final, Self

import orjson

from domain.event_reading import read_logged
from domain.events import LoggedEvent
from persistence.event_log import Numbered

MAX_BYTES: Final = 256 * 1024
"""A message that would be longer goes without its events; whoever hears it reads them in the table."""


@dataclass(frozen=True, slots=True)
class Chime:
    """A batch of one history: the positions from *first* to *last*.

    `body` holds its events, as yet undecoded: each as `[position, kind, payload]`, with the kind and the payload as
    they are stored. What a newer version wrote is passed on unchanged.
    """

    epoch: str
    first: int
    last: int
    body: list[Any] | None

    @classmethod
    def of(cls, batch: Numbered) -> Self:
        """The chime for a batch that is not empty."""
        return cls(batch.epoch, batch.events[0].position, batch.events[-1].position, batch.bodies)

    def encode(self) -> bytes:
        """JSON: `{"epoch", "from", "to", "events"?}`, at most 256 kB."""
        head = {"epoch": self.epoch, "from": self.first, "to": self.last}
        whole = orjson.dumps(head | {"events": self.body})
        return whole if self.body is not None and len(whole) <= MAX_BYTES else orjson.dumps(head)

    @classmethod
    def decode(cls, message: str) -> Self:
        """The inverse of `encode`.

        Raises:
            ValueError: it is not a chime.
        """
        value = orjson.loads(message)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        epoch, first, last, body = (value.get(key) for key in ("epoch", "from", "to", "events"))
        if not (isinstance(epoch, str) and type(first) is int and type(last) is int and 0 < first <= last):
            raise ValueError("not a range of positions")
        if body is not None and not isinstance(body, list):
            raise ValueError("events must be a list")
        return cls(epoch, first, last, body)

    def events(self) -> list[LoggedEvent]:
        """The events, decoded; none if the message was too long for them.

        Raises:
            ValueError: they are not events, or not those of its positions.
        """
        if self.body is None:
            return []
        events = [read_logged(each) for each in self.body]
        if [logged.position for logged in events] != list(range(self.first, self.last + 1)):
            raise ValueError("not the events of its positions")
        return events
