"""The server that is measured: the product's own, in a process of its own, without the limits on one address.

python -m benchmarks.server DATABASE_URL REDIS_URL PORT shared|apart
"""

import sys

from pydantic import SecretStr

from graphql_api.app import Server
from graphql_api.cli import serving
from graphql_api.realtime.connections import Connections
from graphql_api.settings import Settings


def main(database_url: str, redis_url: str, port: str, way: str) -> None:
    """Serve until SIGTERM."""
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        port=int(port),
        cleanup_schedule="off",
        log_level="warning",
        shutdown_seconds=2,
    )
    server = Server(settings, shared=way == "shared")
    server.connections = Connections(per_user=1_000_000, per_address=1_000_000)
    with serving.listen(settings) as listener:
        serving.run(server.asgi(), settings, listener)


if __name__ == "__main__":
    main(*sys.argv[1:])
