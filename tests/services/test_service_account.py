"""Service accounts: what needs a person, and repeated requests."""

import pytest

from domain.actor import OPERATOR
from domain.errors import Forbidden, LastAdmin
from domain.idempotency import IdempotencyKey
from domain.project import ProjectRole
from domain.service_account import MAX_OF_PROJECT
from domain.user import Role, UserKind
from services.service_account import create_service_account
from services.user import set_user_active, set_user_role
from tests.support.builders import Builders


async def test_it_is_not_the_last_admin(build: Builders):
    """Nobody could sign in as an admin. It can lose its own role."""
    admin = await build.a_user(Role.ADMIN)
    account = await create_service_account(build.as_(OPERATOR), username="robot", role=Role.ADMIN)
    with pytest.raises(LastAdmin):
        await set_user_role(build.as_(admin), user_id=admin.id, role=Role.USER)
    with pytest.raises(LastAdmin):
        await set_user_active(build.as_(admin), user_id=admin.id, is_active=False)
    assert (await set_user_role(build.as_(admin), user_id=account.id, role=Role.USER)).role is Role.USER


async def test_a_project_has_at_most_a_hundred(build: Builders):
    """So a manager cannot fill the table of users."""
    manager = await build.a_user()
    project = await build.a_project((manager, ProjectRole.MANAGER))
    for _ in range(MAX_OF_PROJECT):
        await build.a_user(kind=UserKind.SERVICE, has_password=False, project_id=project.id)
    with pytest.raises(Forbidden, match="the maximum"):
        await create_service_account(build.as_(manager), username="robot", project_id=project.id)


async def test_a_repeated_request_creates_one(build: Builders):
    """With an idempotency key."""
    manager = await build.a_user()
    project = await build.a_project((manager, ProjectRole.MANAGER))
    found = {
        (
            await create_service_account(
                build.as_(manager, key=IdempotencyKey("once")), username="robot", project_id=project.id
            )
        ).id
        for _ in range(2)
    }
    assert len(found) == 1
