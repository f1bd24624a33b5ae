"""The user as whom a command acts."""

from cli.errors import CommandError
from domain.actor import OPERATOR, Actor
from domain.errors import NotFound
from persistence.database import Database
from persistence.models import UserRow
from services import user as user_service


async def user_of(database: Database, username: str) -> UserRow:
    """The user with this name.

    Raises:
        CommandError: there is no such user.
    """
    try:
        return await user_service.get_user_by_name(database.unit_of_work(OPERATOR), username=username)
    except NotFound:
        raise CommandError(f"There is no user {username[:40]!a}; `taskriver user create` creates one.") from None


async def actor_of(database: Database, username: str) -> Actor:
    """The user with this name, as an actor with the user's current role.

    Raises:
        CommandError: there is no such user, or the user is disabled.
    """
    user = await user_of(database, username)
    if not user.is_active:
        raise CommandError(f"{user.username} is disabled; `taskriver user enable {user.username}` enables the user.")
    return Actor(user.id, user.role, None, user.access_version, name=user.username)
