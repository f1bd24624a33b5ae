"""Private PostgreSQL and Valkey processes, for the first run and for tests.

Most callers use `running`. Tests that kill or freeze a server use `embedded.postgres.Postgres` and
`embedded.valkey.Valkey` directly.
"""

from embedded.errors import EmbeddedError
from embedded.running import Servers, found, running

__all__ = ["EmbeddedError", "Servers", "found", "running"]
