"""A SQLAlchemy pool that keeps working with its connections when the server refuses more."""

import time
from typing import Any, Final

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util.queue import Empty

from persistence.outage_log import note_outage

RECHECK_SECONDS: Final = 0.1
"""How long to wait for a returned connection before checking again that other connections exist."""


class SteadyPool(AsyncAdaptedQueuePool):
    """If a new connection fails, it waits for a connection in use, up to the pool's time-out."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.refused = 0
        """How often a new connection failed while there were others."""

    def _do_get(self) -> Any:
        try:
            return self._connected(super()._do_get())
        except PoolTimeout:
            raise
        except Exception as error:
            return self._returned_by_others(error)

    def _connected(self, record: Any) -> Any:
        """The record, after a reconnect if its connection is broken; if this fails, the record leaves the pool."""
        if record.dbapi_connection is None:
            try:
                record.get_connection()
            except BaseException:
                self._dec_overflow()
                raise
        return record

    def _returned_by_others(self, refusal: Exception) -> Any:
        until = time.monotonic() + self._timeout
        self._note(refusal)
        while self.checkedin() + self.checkedout() > 0:
            left = until - time.monotonic()
            try:
                # The other connections may be attempts that fail, too, and then none is returned.
                return self._connected(self._pool.get(True, max(0.0, min(left, RECHECK_SECONDS))))
            except Empty:
                if left <= 0:
                    raise PoolTimeout(
                        "A new connection failed, and no other connection was returned in time."
                    ) from refusal
            except Exception as error:
                refusal = error
                self._note(refusal)
        raise refusal

    def _note(self, refusal: Exception) -> None:
        if self.checkedin() + self.checkedout() > 0:
            self.refused += 1
            note_outage(refusal)
