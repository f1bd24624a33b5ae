"""A pool of SQLAlchemy's that goes on with the connections that it has when the server gives no more of them."""

import time
from typing import Any, Final

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util.queue import Empty

from persistence.outage_log import note_outage

RECHECK_SECONDS: Final = 0.1
"""How long to wait for a connection of others before looking whether there are others."""


class SteadyPool(AsyncAdaptedQueuePool):
    """Waits for a connection in use, as long as for any, when it cannot make another one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.refused = 0
        """How often a connection could not be made while there were others."""

    def _do_get(self) -> Any:
        try:
            return self._connected(super()._do_get())
        except PoolTimeout:
            raise
        except Exception as error:
            return self._returned_by_others(error)

    def _connected(self, record: Any) -> Any:
        """The record; if its connection broke, it is connected again, or leaves the pool."""
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
                # The others may be attempts to connect that fail as well, and then return nothing.
                return self._connected(self._pool.get(True, max(0.0, min(left, RECHECK_SECONDS))))
            except Empty:
                if left <= 0:
                    raise PoolTimeout("No connection could be made, and none was returned in time.") from refusal
            except Exception as error:
                refusal = error
                self._note(refusal)
        raise refusal

    def _note(self, refusal: Exception) -> None:
        if self.checkedin() + self.checkedout() > 0:
            self.refused += 1
            note_outage(refusal)
