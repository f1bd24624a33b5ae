"""Access tokens for users whose sessions are in a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from graphql_api.auth.tokens import AccessTokens
from server.settings import Settings


def numbered(number: int) -> UUID:
    """The id of the row with this number."""
    return UUID(f"00000000-0000-4000-8000-{number:012x}")


def tokens_for(users: list[int], lifetime: timedelta = timedelta(hours=2)) -> list[str]:
    """A token for each of these users. The session of a user has the same number."""
    settings, now = Settings(_env_file=None), datetime.now(UTC)
    made = AccessTokens(settings.key_ring, settings.token_issuer, settings.token_audience, lifetime)
    return [made.issue(numbered(user), numbered(user), now).token for user in users]
