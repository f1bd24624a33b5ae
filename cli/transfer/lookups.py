"""The users and the projects that the lines of an import name. Each is read once."""

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from cli.actor import actor_of
from cli.errors import CommandError
from domain.actor import OPERATOR, Actor
from domain.errors import Forbidden, Invalid, NotFound
from persistence.database import Database
from services.import_export import find_project

_MAX_CACHED: Final = 10_000
"""Entries of a cache. When there are more, it is emptied, so that it does not grow."""
_SHOWN: Final = 40
_NO_PROJECT: Final = (
    "there is no such project, or the owner of the task is not a member of it. "
    "`taskriver project list --archived` lists the keys."
)


@dataclass(slots=True)
class Lookups:
    """Looks up names, and remembers what it has found."""

    database: Database
    _users: dict[str, Actor | None] = field(default_factory=dict)
    _authors: dict[str, UUID | None] = field(default_factory=dict)
    _projects: dict[tuple[UUID, str], UUID | str] = field(default_factory=dict)

    async def user(self, name: str, what: str) -> Actor:
        """The active user with this name; *what* is the field that names the user.

        Raises:
            Invalid: there is none.
        """
        if name not in self._users:
            try:
                found: Actor | None = await actor_of(self.database, name)
            except CommandError:
                found = None
            _remember(self._users, name, found)
        user = self._users[name]
        if user is None:
            raise Invalid(f"{what} {name[:_SHOWN]!a} is not an active user on this server.")
        return user

    async def author(self, name: str) -> UUID:
        """The user with this name, who may be disabled.

        Raises:
            Invalid: there is none.
        """
        if name not in self._authors:
            async with self.database.unit_of_work(OPERATOR) as uow:
                found = await uow.users.find_by_name(name)
            _remember(self._authors, name, found.id if found is not None else None)
        author: UUID | None = self._authors[name]
        if author is None:
            raise Invalid(f"the author {name[:_SHOWN]!a} of a comment is not a user on this server.")
        return author

    async def project(self, key: str, actor: Actor) -> UUID:
        """The project that has or had this key, if the actor may create tasks in it.

        Raises:
            Invalid: there is none.
        """
        known = actor.user_id, key
        if known not in self._projects:
            _remember(self._projects, known, await self._find_project(key, actor))
        found = self._projects[known]
        if isinstance(found, str):
            raise Invalid(f"project {key[:_SHOWN]!a}: {found}")
        return found

    async def _find_project(self, key: str, actor: Actor) -> UUID | str:
        """The id of the project, or why the actor may not create tasks in it."""
        try:
            return await find_project(self.database.unit_of_work(actor), key=key)
        except NotFound:
            return _NO_PROJECT
        except Forbidden as forbidden:
            return forbidden.message


def _remember(cache: dict[Any, Any], name: Any, found: Any) -> None:
    if len(cache) > _MAX_CACHED:
        cache.clear()
    cache[name] = found
