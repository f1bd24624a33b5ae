"""In whose name a command works."""

from domain.actor import OPERATOR, Actor
from domain.errors import NotFound
from persistence.database import Database
from persistence.models import UserRow
from server.errors import CommandError
from services import user as user_service


async def user_of(database: Database, username: str) -> UserRow:
    """The user of this name.

    Raises:
        CommandError: there is none.
    """
    try:
        return await user_service.get_user_by_name(database.unit_of_work(OPERATOR), username=username)
    except NotFound:
        raise CommandError(f"There is no user {username[:40]!a}; `taskriver user create` makes one.") from None


async def actor_of(database: Database, username: str) -> Actor:
    """The user of this name, as an actor of this moment.

    Raises:
        CommandError: there is none, or they are disabled.
    """
    user = await user_of(database, username)
    if not user.is_active:
        raise CommandError(f"{user.username} is disabled; `taskriver user enable {user.username}` lets them in again.")
    return Actor(user.id, user.role, None, user.access_version)
