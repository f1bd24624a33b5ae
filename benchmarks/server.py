"""The measured server: the product, without the limits for one address.

python -m benchmarks.server DATABASE_URL REDIS_URL PORT [--apart] [--samples FILE] [--gaps FILE]
"""

import argparse
import asyncio
from pathlib import Path

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.loop_gaps import Gaps
from benchmarks.sampling import Sampler
from server import runner
from server.app import Server
from server.settings import Settings
from streaming.connections import Connections


class Watched:
    """An application whose event loop is watched from its first message."""

    def __init__(self, app: ASGIApp, file: Path) -> None:
        self._app = app
        self._file = file
        self._watching: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application."""
        if self._watching is None:
            self._watching = asyncio.create_task(Gaps(self._file).watch())
        await self._app(scope, receive, send)


def main() -> None:
    """Serve until SIGTERM."""
    options = _parser().parse_args()
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(options.database),
        redis_url=SecretStr(options.redis),
        port=options.port,
        cleanup_schedule="off",
        log_level="warning",
        shutdown_seconds=2,
        # The limits count as they do for users, but one user sends what thousands would.
        writes_per_user=10**9,
        writes_per_token=10**9,
    )
    server = Server(settings, shared=not options.apart)
    server.connections = Connections(per_user=1_000_000, per_address=1_000_000)
    if options.samples is not None:
        Sampler(options.samples).install()
    app = server.asgi()
    with runner.listen(settings) as listener:
        runner.run(app if options.gaps is None else Watched(app, options.gaps), settings, listener)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.server", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database")
    parser.add_argument("redis")
    parser.add_argument("port", type=int)
    parser.add_argument("--apart", action="store_true", help="execute once for each subscriber")
    parser.add_argument("--samples", type=Path, help="where to write the samples between two SIGUSR1")
    parser.add_argument("--gaps", type=Path, help="where to write how long the event loop was blocked")
    return parser


if __name__ == "__main__":
    main()
