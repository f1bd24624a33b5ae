"""`taskriver serve`."""

from graphql_api.cli import serving, stopping
from graphql_api.cli.environment import read_settings_with_servers


def serve() -> None:
    """Serve the API.

    Everything is set by the environment, or by a file .env in this folder; docs/settings.md lists it. Ctrl-C or
    SIGTERM: requests are finished, sockets sent elsewhere.
    """
    settings = read_settings_with_servers()
    stopping.in_order()
    serving.run("graphql_api.app:create_app", settings, serving.listen(settings))
