"""`taskriver serve`."""

import asyncio
from typing import Final

from graphql_api.cli import serving, stopping
from graphql_api.cli.environment import read_settings_with_servers
from graphql_api.cli.numbers import offered
from graphql_api.cli.output import examples
from graphql_api.cli.saying import say
from graphql_api.cli.starting import look_before_start

EXAMPLES: Final = examples("WORKERS=4 HOST=0.0.0.0 taskriver serve")


def serve() -> None:
    """Serve the API.

    Everything is set by the environment, or by a file .env in this folder; docs/settings.md lists it. Ctrl-C or
    SIGTERM: requests are finished, sockets sent elsewhere.
    """
    settings = read_settings_with_servers()
    stopping.in_order()
    listener = serving.listen(settings)
    asyncio.run(look_before_start(settings))
    say(f"Taskriver listens on http://{serving.place(settings)}.")
    with offered(settings):
        serving.run("graphql_api.app:create_app", settings, listener)
