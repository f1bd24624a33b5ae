"""Deleting users: what becomes of their data, who may do it, and what happens at the same time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.access_token import Scope
from domain.actor import OPERATOR, Actor
from domain.audit import AuditAction
from domain.errors import AlreadyExists, Forbidden, Invalid, InvalidCredentials, LastAdmin, LastManager, NotFound
from domain.events import MembershipEvent, TaskChange, TaskEvent
from domain.project import ProjectRole
from domain.user import NO_PASSWORD, Role, UserKind
from domain.user_deletion import RemainingPlace, Retention
from persistence.models import UserRow
from persistence.unit_of_work import UnitOfWork
from services import user_deletion
from services.comment import create_comment
from services.task import assign_task, delete_task
from services.task_creation import create_task
from services.trash import restore_task
from services.user import register, set_user_active, set_user_role
from services.user_deletion import Deletion, continue_deletion, continue_deletions, delete_user
from tests.services.passwords import hash_password, verify_password
from tests.support.builders import Builders

RETENTION = Retention(events=timedelta(days=30), trash=timedelta(days=30), audit=timedelta(days=400))
PASSWORD = "Str0ng-password"


async def delete(build: Builders, user: UserRow, by: Actor | UserRow = OPERATOR, **values: Any) -> Deletion:
    """Delete a user."""
    return await delete_user(build.as_(by), user_id=user.id, retention=RETENTION, **values)


async def stored(build: Builders, user: UserRow) -> UserRow:
    """The user as it is stored now."""
    row = await build.user(user.id)
    assert row is not None
    return row


async def counts(build: Builders, *tables: str) -> dict[str, int]:
    """The number of rows."""
    async with build.as_(None) as uow:
        return {table: await uow.transaction.value(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608


class TestWhatRemains:
    async def test_nothing_identifies_the_user(self, build: Builders):
        """In the row, whose id stays the same; and it is no longer of use to anyone."""
        user = await build.a_user(Role.MODERATOR)
        await delete(build, user)
        row = await stored(build, user)
        assert row.username.startswith("deleted-")
        assert row.email.endswith("@deleted.invalid")
        assert user.username not in row.username
        assert user.id.hex[:8] not in row.username + row.email
        assert (row.password_hash, row.has_password, row.is_active, row.role) == (NO_PASSWORD, False, False, Role.USER)
        assert row.deleted_at is not None
        assert row.access_version == user.access_version + 1

    async def test_sessions_tokens_and_keys_are_removed(self, build: Builders):
        """In the transaction that deletes the user."""
        user = await build.a_user()
        await build.a_session(user)
        await build.an_access_token(user, Scope.TASKS_READ)
        async with build.as_(None) as uow:
            await uow.keys.claim(b"k" * 32, actor_id=user.id, fingerprint=b"f" * 32, object_id=uuid4(), now=None)
            await uow.commit()
        await delete(build, user)
        assert await counts(build, "sessions", "access_tokens", "idempotency_keys") == {
            "sessions": 0,
            "access_tokens": 0,
            "idempotency_keys": 0,
        }

    async def test_the_report_names_each_place(self, build: Builders):
        """With the time at which the settings remove the data."""
        deletion = await delete(build, await build.a_user())
        assert {each.place for each in deletion.remaining} == set(RemainingPlace)
        until = {each.place: each.until for each in deletion.remaining}
        assert until[RemainingPlace.BACKUPS] is None
        audit = until[RemainingPlace.AUDIT_LOG]
        assert audit is not None
        assert timedelta(days=399) < audit - datetime.now(UTC) < timedelta(days=401)

    async def test_the_audit_log_says_who_was_deleted_by_whom(self, build: Builders):
        """With the name that the user had."""
        user, project = await build.a_user(), await build.a_project()
        await build.a_member(project, user)
        await delete(build, user)
        rows = (await build.snapshot())["audit_entries"]
        texts = [str(row) for row in rows]
        assert any(AuditAction.USER_DELETED.value in text and user.username in text for text in texts)
        assert any(AuditAction.MEMBER_REMOVED.value in text and "the user was deleted" in text for text in texts)


class TestTheName:
    async def test_it_is_not_used_again(self, build: Builders):
        """In any case of letters; the e-mail address can be used again."""
        user = await build.a_user()
        await delete(build, user)
        wanted: Any = {"email": user.email, "password": PASSWORD, "hash_password": hash_password}
        for name in (user.username, user.username.upper()):
            with pytest.raises(AlreadyExists):
                await register(build.as_(None), username=name, **wanted)
        assert (await register(build.as_(None), username="another", **wanted)).email == user.email

    async def test_it_cannot_be_taken_at_the_moment_of_the_deletion(self, build: Builders):
        """A registration that waits for the deletion is refused when it ends."""
        for _ in range(5):
            user = await build.a_user()
            made = register(
                build.as_(None),
                username=user.username,
                email=f"{uuid4().hex}@example.org",
                password=PASSWORD,
                hash_password=hash_password,
            )
            outcomes = await asyncio.gather(delete(build, user), made, return_exceptions=True)
            assert isinstance(outcomes[0], Deletion)
            assert isinstance(outcomes[1], AlreadyExists)

    async def test_nobody_has_a_name_like_a_deleted_user(self, build: Builders):
        """It would look like one."""
        with pytest.raises(Invalid, match="deleted-"):
            await register(
                build.as_(None),
                username="Deleted-alice",
                email="a@example.org",
                password=PASSWORD,
                hash_password=hash_password,
            )


class TestTasks:
    async def test_it_must_be_said_what_happens_with_personal_tasks(self, build: Builders):
        """The message has their number. Contradictions and unknown users are refused, too."""
        user, other = await build.a_user(), await build.a_user()
        await build.a_task(user)
        inactive = await build.a_user(is_active=False)
        for values in (
            {},
            {"tasks_to": other.id, "deletes_tasks": True},
            {"tasks_to": user.id},
            {"tasks_to": inactive.id},
            {"tasks_to": uuid4()},
        ):
            async with build.unchanged():
                with pytest.raises(Invalid) as refused:
                    await delete(build, user, **values)
            assert refused.value.path == ("transferTasksTo",)

    async def test_personal_tasks_go_to_the_named_user(self, build: Builders):
        """With an event that names both, so that both learn of it."""
        user, heir, colleague = await build.a_user(), await build.a_user(), await build.a_user()
        own = await build.a_task(user, assignee_id=user.id)
        shared = await build.a_task(user, assignee_id=colleague.id)
        foreign = await build.a_task(colleague, assignee_id=user.id)
        deletion = await delete(build, user, tasks_to=heir.id)
        assert (deletion.tasks, deletion.is_complete) == (3, True)
        people = {}
        for task in (own, shared, foreign):
            found = await build.task(task.id)
            assert found is not None
            assert found.version == 2
            people[task.id] = (found.owner_id, found.assignee_id)
        assert people == {
            own.id: (heir.id, heir.id),
            shared.id: (heir.id, colleague.id),
            foreign.id: (colleague.id, None),
        }
        [event] = await build.recorded_events(of=own.id)
        assert isinstance(event, TaskEvent)
        assert event.changes == (TaskChange.OWNER, TaskChange.ASSIGNEE)
        assert event.before is not None
        assert event.after is not None
        assert (event.before.owner_id, event.after.owner_id) == (user.id, heir.id)

    async def test_personal_tasks_are_deleted_for_good(self, build: Builders):
        """Those in the trash, too."""
        user = await build.a_user()
        task, gone = await build.a_task(user), await build.a_task(user)
        await delete_task(build.as_(user), task_id=gone.id)
        await delete(build, user, deletes_tasks=True)
        assert await build.task(task.id) is None
        assert await counts(build, "tasks", "trash") == {"tasks": 0, "trash": 0}
        with pytest.raises(NotFound):
            await restore_task(build.as_(OPERATOR), task_id=gone.id)

    async def test_tasks_of_projects_stay(self, build: Builders):
        """Without an assignee. A deleted one can be restored by a manager, and has no assignee either."""
        user, manager = await build.a_user(), await build.a_user()
        project = await build.a_project((manager, ProjectRole.MANAGER), (user, ProjectRole.MEMBER))
        task = await create_task(build.as_(user), title="Stays", project_id=project.id, assignee_id=user.id)
        gone = await create_task(build.as_(user), title="Gone", project_id=project.id, assignee_id=user.id)
        await delete_task(build.as_(manager), task_id=gone.id)
        await delete(build, user)
        kept = await build.task(task.id)
        assert kept is not None
        assert (kept.owner_id, kept.assignee_id) == (user.id, None)
        restored = await restore_task(build.as_(manager), task_id=gone.id)
        assert (restored.owner_id, restored.assignee_id) == (user.id, None)
        assert list(await build.roles_in(project.id)) == [manager.id]
        left = [each for each in await build.recorded_events() if isinstance(each, MembershipEvent)]
        assert [(each.user_id, each.role) for each in left] == [(user.id, None)]

    async def test_who_finds_only_some_users_transfers_to_these(self, build: Builders):
        """The refusal does not say that the user exists."""
        user, unknown = await build.a_user(), await build.a_user()
        actor = Actor(user.id, user.role, None, 1, finds_everyone=False)
        session = await build.a_session(await build.a_user())
        assert session is not None
        with pytest.raises(Invalid):
            await _own(build, actor, tasks_to=unknown.id)
        project = await build.a_project((unknown, ProjectRole.MANAGER), (user, ProjectRole.MEMBER))
        assert project is not None
        assert (await _own(build, actor, tasks_to=unknown.id)).is_complete


async def _own(build: Builders, actor: Actor, password: str | None = PASSWORD, **values: Any) -> Deletion:
    """Delete oneself; the password is that of every user here."""
    async with build.as_(None) as uow:
        hashed = await hash_password(PASSWORD)
        await uow.transaction.begin()
        await uow.transaction.write(
            "UPDATE users SET password_hash = $2 WHERE id = $1 AND has_password RETURNING 1", actor.user_id, hashed
        )
        await uow.commit()
    return await delete_user(
        build.as_(actor),
        user_id=actor.user_id,
        retention=RETENTION,
        current_password=password,
        verify_password=verify_password,
        **values,
    )


class TestWhoMay:
    async def test_users_delete_themselves_with_their_password(self, build: Builders):
        """And nobody else."""
        user, other = await build.a_user(), await build.a_user()
        actor = build.actor(user)
        for password, error in ((None, Invalid), ("Wr0ng-password", InvalidCredentials)):
            with pytest.raises(error):
                await _own(build, actor, password)
        for role in (Role.USER, Role.MODERATOR):
            with pytest.raises(Forbidden):
                await delete(build, other, await build.a_user(role))
        await _own(build, actor)
        assert (await stored(build, user)).deleted_at is not None
        with pytest.raises(Invalid, match="Sign in again"):
            await _own(build, actor)

    async def test_who_has_no_password_must_have_signed_in_recently(self, build: Builders):
        """The session shows that."""
        user = await build.a_user(password_hash=NO_PASSWORD, has_password=False)
        old = await build.a_session(user, created_at=datetime.now(UTC) - timedelta(minutes=11))
        new = await build.a_session(user)
        with pytest.raises(Invalid, match="Sign in again"):
            await _own(build, build.actor(user, old.id), None)
        assert (await _own(build, build.actor(user, new.id), None)).is_complete

    async def test_admins_delete_others_and_repeat_it(self, build: Builders):
        """The second time nothing remains to be done."""
        admin, user = await build.a_user(Role.ADMIN), await build.a_user()
        assert (await delete(build, user, admin)).is_complete
        first = await stored(build, user)
        assert (await delete(build, user, admin)).tasks == 0
        assert await stored(build, user) == first or (await stored(build, user)).username == first.username

    async def test_no_token_deletes_anyone(self, build: Builders):
        """Whatever its scopes are."""
        admin, user = await build.a_user(Role.ADMIN), await build.a_user()
        actor = Actor(admin.id, Role.ADMIN, None, 1, token_id=uuid4(), scopes=frozenset(Scope))
        with pytest.raises(Forbidden):
            await delete(build, user, actor)

    async def test_managers_delete_the_service_accounts_of_their_project(self, build: Builders):
        """Members do not, and managers delete no other users."""
        manager, member = await build.a_user(), await build.a_user()
        project = await build.a_project((manager, ProjectRole.MANAGER), (member, ProjectRole.MEMBER))
        service = await build.a_user(
            kind=UserKind.SERVICE, project_id=project.id, has_password=False, password_hash=NO_PASSWORD
        )
        await build.a_member(project, service)
        for actor, target in ((member, service), (manager, member)):
            with pytest.raises(Forbidden):
                await delete(build, target, actor)
        assert (await delete(build, service, manager)).is_complete

    async def test_the_last_admin_and_the_only_manager_stay(self, build: Builders):
        """The messages say what to do."""
        admin = await build.a_user(Role.ADMIN)
        with pytest.raises(LastAdmin, match="another user an admin"):
            await delete(build, admin)
        manager = await build.a_user()
        project = await build.a_project((manager, ProjectRole.MANAGER))
        with pytest.raises(LastManager, match=f"{project.key}.*make another member a manager"):
            await delete(build, manager)

    async def test_a_deleted_user_is_not_changed_any_more(self, build: Builders):
        """Neither enabled nor given a role."""
        user = await build.a_user()
        await delete(build, user)
        with pytest.raises(Invalid, match="deleted"):
            await set_user_active(build.as_(OPERATOR), user_id=user.id, is_active=True)
        with pytest.raises(Invalid, match="deleted"):
            await set_user_role(build.as_(OPERATOR), user_id=user.id, role=Role.ADMIN)


class TestAtTheSameTime:
    async def test_two_deletions(self, build: Builders):
        """Both succeed, and there is one entry of the audit log."""
        user, heir = await build.a_user(), await build.a_user()
        for _ in range(10):
            await build.a_task(user)
        outcomes = await asyncio.gather(*(delete(build, user, tasks_to=heir.id) for _ in range(3)))
        assert sum(each.tasks for each in outcomes) == 10
        entries = [row for row in (await build.snapshot())["audit_entries"] if AuditAction.USER_DELETED.value in row]
        assert len(entries) == 1

    async def test_two_users_who_name_each_other(self, build: Builders):
        """One of them is refused, or the tasks go on to where those of the other one go."""
        first, second, heir = [await build.a_user() for _ in range(3)]
        await build.a_user(Role.ADMIN)
        task = await build.a_task(first)
        await asyncio.gather(
            delete(build, first, tasks_to=second.id), delete(build, second, tasks_to=heir.id), return_exceptions=True
        )
        await continue_deletions(build.as_)
        found = await build.task(task.id)
        assert found is not None
        owner = await build.user(found.owner_id)
        assert owner is not None
        assert owner.deleted_at is None or not await _is_deleted(build, first)

    async def test_tasks_that_are_added_meanwhile(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """A request that was under way adds a task and an assignment after the deletion: they are found later."""
        user, heir, other = await build.a_user(), await build.a_user(), await build.a_user()
        await delete(build, user, tasks_to=heir.id)
        late = await build.a_task(user)
        assigned = await build.a_task(other, assignee_id=user.id)
        assert await continue_deletions(build.as_) == 2
        found = await build.task(late.id), await build.task(assigned.id)
        assert [(each.owner_id, each.assignee_id) for each in found if each] == [(heir.id, None), (other.id, None)]
        assert (await counts(build, "user_deletions"))["user_deletions"] == 1
        monkeypatch.setattr(user_deletion, "STRAGGLERS_SECONDS", 0.0)
        await continue_deletions(build.as_)
        assert (await counts(build, "user_deletions"))["user_deletions"] == 0

    async def test_nothing_is_assigned_to_a_deleted_user(self, build: Builders):
        """While the deletion runs, an assignment comes before it or is refused; either way it does not last."""
        user, other = await build.a_user(), await build.a_user()
        tasks = [await build.a_task(other) for _ in range(8)]
        assigning = [assign_task(build.as_(other), task_id=task.id, assignee_id=user.id) for task in tasks]
        outcomes = await asyncio.gather(delete(build, user), *assigning, return_exceptions=True)
        assert all(isinstance(each, Invalid) for each in outcomes if isinstance(each, Exception))
        await continue_deletions(build.as_)
        for task in tasks:
            found = await build.task(task.id)
            assert found is not None
            assert found.assignee_id is None

    async def test_the_user_writes_while_being_deleted(self, build: Builders):
        """No request fails with an error that is not a refusal, and no personal task stays with the deleted user."""
        user, heir = await build.a_user(), await build.a_user()
        task = await build.a_task(heir, assignee_id=user.id)
        writes = [create_task(build.as_(user), title=f"Task {number}") for number in range(8)]
        comments = [create_comment(build.as_(user), task_id=task.id, text="Now") for _ in range(4)]
        outcomes = await asyncio.gather(
            delete(build, user, tasks_to=heir.id), *writes, *comments, return_exceptions=True
        )
        assert not [
            each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Forbidden | NotFound)
        ]
        await continue_deletions(build.as_)
        async with build.as_(None) as uow:
            assert await uow.user_deletions.tasks_of(user.id) == []

    async def test_a_deletion_that_was_interrupted_is_continued(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """As after the end of a process. Events name who deleted the user."""
        admin, user, heir = await build.a_user(Role.ADMIN), await build.a_user(), await build.a_user()
        for _ in range(5):
            await build.a_task(user)
        monkeypatch.setattr(user_deletion, "BATCH_SIZE", 2)
        deletion = await delete(build, user, admin, tasks_to=heir.id, at_once=2)
        assert (deletion.tasks, deletion.is_complete) == (2, False)
        assert (await stored(build, user)).deleted_at is not None
        assert await continue_deletions(build.as_) == 3
        events = [each for each in await build.recorded_events() if isinstance(each, TaskEvent)]
        assert {each.actor_id for each in events} == {admin.id}
        assert await continue_deletion(build.as_(OPERATOR), user_id=user.id) == (0, True)

    async def test_another_process_has_the_batch(self, build: Builders):
        """Then this one leaves the work to it."""
        user, heir = await build.a_user(), await build.a_user()
        await delete(build, user, tasks_to=heir.id)
        await build.a_task(user)
        holder: UnitOfWork = build.as_(None)
        async with holder:
            assert await holder.try_lock(f"deletion of {user.id}")
            assert await continue_deletions(build.as_) == 0
        assert await continue_deletions(build.as_) == 1


async def _is_deleted(build: Builders, user: UserRow) -> bool:
    return (await stored(build, user)).deleted_at is not None
