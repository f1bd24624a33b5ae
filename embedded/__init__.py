"""Private PostgreSQL and Valkey processes, for the first run and for tests.

`running` is what most callers want. Tests that hurt a server use `embedded.postgres.Postgres` and
`embedded.valkey.Valkey` themselves.
"""

from embedded.errors import EmbeddedError
from embedded.running import Servers, found, running

__all__ = ["EmbeddedError", "Servers", "found", "running"]
