"""`taskriver serve`."""

from graphql_api.cli import serving
from graphql_api.cli.failure import CommandError
from graphql_api.settings import Settings


def serve() -> None:
    """Serve the API; everything is set by the environment (docs/settings.md)."""
    settings = Settings()
    if settings.database_url is None or settings.redis_url is None:
        raise CommandError("DATABASE_URL and REDIS_URL must be set; `taskriver dev` brings servers of its own.")
    serving.run("graphql_api.app:create_app", settings, serving.listen(settings))
