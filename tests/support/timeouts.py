"""The time-outs of the product, so long that no machine is too slow for them."""

from typing import Final

import pytest

import server.app as app_module
from asgi import websocket_protocol
from graphql_api.execution.executor import Executor
from persistence import connecting, group_commit
from persistence import database as engine_module
from tests.support.waiting import HANG_SECONDS

_MILLISECONDS: Final = str(int(HANG_SECONDS * 1000))
_STATEMENTS: Final = dict.fromkeys(
    ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"), _MILLISECONDS
)


def extend(patch: pytest.MonkeyPatch) -> None:
    """Set them for servers in this process; a test of a time-out sets its own."""
    patch.setattr(engine_module, "POOL_TIMEOUT_SECONDS", HANG_SECONDS)
    for name in ("CONNECT_SECONDS", "COMMAND_SECONDS"):
        patch.setattr(connecting, name, HANG_SECONDS)
    patch.setattr(connecting, "SERVER_SETTINGS", connecting.SERVER_SETTINGS | _STATEMENTS)
    patch.setattr(group_commit, "TIMEOUT_SECONDS", HANG_SECONDS)
    defaults = Executor.__init__.__kwdefaults__
    assert defaults is not None
    patch.setitem(defaults, "timeout", HANG_SECONDS)
    patch.setattr(app_module, "REDIS_TIMEOUT_SECONDS", HANG_SECONDS)
    # A process that gets no processor time for as long as the lease aborts its sockets.
    patch.setattr(websocket_protocol, "LEASE_SECONDS", HANG_SECONDS)
