"""`taskriver serve`."""

import asyncio
from typing import Final

from cli.output import examples, say
from cli.settings import read_settings_with_servers
from cli.startup_checks import check_before_start
from server import runner, signals
from server.metrics_server import serve_metrics

EXAMPLES: Final = examples("WORKERS=4 HOST=0.0.0.0 taskriver serve")


def serve() -> None:
    """Serve the API.

    The settings come from environment variables, or from a file .env in this folder; docs/settings.md lists them.
    Ctrl-C or SIGTERM stops the server: it finishes running requests and asks WebSocket clients to reconnect.
    """
    settings = read_settings_with_servers()
    signals.exit_on_signal()
    listener = runner.listen(settings)
    asyncio.run(check_before_start(settings))
    say(f"Taskriver listens on http://{runner.address(settings)}.")
    with serve_metrics(settings):
        runner.run("server.app:create_app", settings, listener)
