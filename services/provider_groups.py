"""Gives a user who signs in through a provider the role and the memberships of their groups.

Each change is a transaction of its own, with the same rules as one by an admin. What a rule refuses is left as it is,
and logged: the last admin stays an admin, and the last manager of a project its manager.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from uuid import UUID

from domain.actor import OPERATOR_ID, Actor
from domain.errors import Refusal
from domain.identity import Grants
from domain.project import ProjectRole
from domain.user import Role
from persistence.models import UserRow
from persistence.repositories.membership import FoundMembership
from persistence.unit_of_work import UnitOfWork
from services.membership import add_member, remove_member, set_member_role
from services.user import set_user_role

_log: Final = logging.getLogger("taskriver.sign_in")


def provider_actor(provider: str) -> Actor:
    """Who changes roles and memberships, in the audit log."""
    return Actor(OPERATOR_ID, Role.ADMIN, None, 0, name=f"the groups of the provider {provider}")


async def apply_grants(
    new_unit_of_work: Callable[[], UnitOfWork], *, user: UserRow, provider: str, grants: Grants
) -> None:
    """Give the user these roles, and take those that the provider has given before and does not give any more.

    Memberships that a person or another provider has given stay. *new_unit_of_work* makes units of work of
    `provider_actor`.
    """
    if grants.role is not None and grants.role is not user.role:
        change = partial(set_user_role, new_unit_of_work(), user_id=user.id, role=grants.role)
        await _try(change, user, provider)
    uow = new_unit_of_work()
    async with uow:
        found = await uow.memberships.for_provider(user.id, provider, grants.projects.keys())
    wanted = _wanted(found, grants)
    for project_id, role in wanted.items():
        give = partial(_give, new_unit_of_work(), found, project_id, user.id, role, provider)
        await _try(give, user, provider)
    for project_id in {each.project_id for each in found if each.key is None} - wanted.keys():
        take = partial(remove_member, new_unit_of_work(), project_id=project_id, user_id=user.id, provider=provider)
        await _try(take, user, provider)


def _wanted(found: list[FoundMembership], grants: Grants) -> dict[UUID, ProjectRole]:
    """The roles by project. A project can have several of the keys: then the highest role counts."""
    wanted: dict[UUID, ProjectRole] = {}
    order = list(ProjectRole)
    for each in found:
        if each.key is not None:
            role = grants.projects[each.key]
            wanted[each.project_id] = max(role, wanted.get(each.project_id, role), key=order.index)
    return wanted


async def _give(
    uow: UnitOfWork, found: list[FoundMembership], project_id: UUID, user_id: UUID, role: ProjectRole, provider: str
) -> None:
    now = next(each for each in found if each.project_id == project_id)
    if now.role is None:
        await add_member(uow, project_id=project_id, user_id=user_id, role=role, provider=provider)
    elif now.provider == provider and now.role is not role:
        await set_member_role(uow, project_id=project_id, user_id=user_id, role=role, provider=provider)


async def _try(change: Callable[[], Awaitable[object]], user: UserRow, provider: str) -> None:
    try:
        await change()
    except Refusal as refusal:
        _log.warning("the groups of the user %s at the provider %s were not applied: %s", user.id, provider, refusal)
