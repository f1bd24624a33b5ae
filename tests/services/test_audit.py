"""Entries of the audit log: in the transaction of the action, complete, and never changed."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from domain.actor import OPERATOR, Actor
from domain.audit import AuditAction, AuditEntry, Subject
from domain.errors import AlreadyExists, Forbidden, InvalidCredentials, LastAdmin, LastManager
from domain.project import ProjectCreation, ProjectRole
from domain.session import token_hash
from domain.user import Role, Verification
from persistence.database import Database
from services import membership, project, project_deletion, session, user
from services.audit import read_entries, record_start
from services.cleanup import clean_up
from tests.support.audit import actions, entries, facts
from tests.support.builders import Builders
from tests.support.transactions import driver_connection

KEYS = {"dev": b"k" * 32}
UA = "Mozilla/5.0\r\n2026-12-01 SIGNED_IN root \x1b[31m\u202egnp"


async def right(password: str, known: str | None) -> Verification:
    """Every password is the right one."""
    return Verification(matches=known is not None)


async def hashed(password: str) -> str:
    """A hash that no password has."""
    return "!new"


async def signed_in(build: Builders, name: str, user_agent: str | None = None) -> session.OpenSession:
    """Sign in from an address."""
    uow = build.database.unit_of_work(None, address=lambda: "192.0.2.7")
    return await session.sign_in(
        uow,
        username=name,
        password="x",
        verify_password=right,
        key_ring=KEYS,
        ip_address="192.0.2.7",
        user_agent=user_agent,
    )


def actor_of(opened: session.OpenSession) -> Actor:
    """The user of a session."""
    row = opened.user
    return Actor(row.id, row.role, opened.session.id, row.access_version, name=row.username)


class TestSessions:
    async def test_sign_in_and_out(self, build: Builders):
        """Who, from where, with which device; no token and no hash."""
        ada = await build.a_user(username="ada")
        opened = await signed_in(build, "ADA", UA)
        again = await signed_in(build, "ada")
        await session.revoke_session(build.as_(actor_of(opened)), session_id=again.session.id)
        await session.sign_out(build.as_(actor_of(opened)))
        last = await signed_in(build, "ada")
        await session.sign_out_everywhere(build.as_(actor_of(last)))

        found = await entries(build.database)
        escaped = r"Mozilla/5.0\x0d\x0a2026-12-01 SIGNED_IN root \x1b[31m\u202egnp"
        assert [facts(row) for row in found] == [
            ("SIGNED_IN", "ada", "192.0.2.7", "SESSION", "ada", {"userAgent": escaped}),
            ("SIGNED_IN", "ada", "192.0.2.7", "SESSION", "ada", {"userAgent": None}),
            ("SESSION_REVOKED", "ada", None, "SESSION", "ada", {}),
            ("SIGNED_OUT", "ada", None, "SESSION", "ada", {}),
            ("SIGNED_IN", "ada", "192.0.2.7", "SESSION", "ada", {"userAgent": None}),
            ("SIGNED_OUT_EVERYWHERE", "ada", None, "USER", "ada", {}),
        ]
        assert [row.subject_id for row in found[:2]] == [opened.session.id, again.session.id]
        assert {row.actor_id for row in found} == {ada.id}
        stored = str([row.__dict__ for row in found])
        assert opened.refresh_token not in stored
        assert token_hash(opened.refresh_token).hex() not in stored

    async def test_signing_out_twice_is_one_entry(self, build: Builders):
        """The second time changes nothing."""
        await build.a_user(username="ada")
        actor = actor_of(await signed_in(build, "ada"))
        for _ in range(2):
            await session.sign_out(build.as_(actor))
        assert await actions(build.database) == ["SIGNED_IN", "SIGNED_OUT"]

    async def test_a_stolen_token(self, build: Builders):
        """A used token that is used again is an entry, although the request is refused; it has no actor."""
        await build.a_user(username="ada")
        opened = await signed_in(build, "ada")
        token = opened.refresh_token
        for _ in range(2):
            refreshed = await session.refresh_session(build.as_(None), refresh_token=token, key_ring=KEYS)
            token = refreshed.refresh_token
        with pytest.raises(InvalidCredentials):
            await session.refresh_session(build.as_(None), refresh_token=opened.refresh_token, key_ring=KEYS)
        [entry] = await entries(build.database, AuditAction.TOKEN_REUSED)
        assert facts(entry) == ("TOKEN_REUSED", None, None, "SESSION", "ada", {})
        assert entry.subject_id == opened.session.id

    async def test_the_oldest_of_too_many_sessions(self, build: Builders):
        """Its end is an entry with its reason."""
        ada = await build.a_user(username="ada")
        for _ in range(100):
            await build.a_session(ada)
        await signed_in(build, "ada")
        [entry] = await entries(build.database, AuditAction.SESSION_REVOKED)
        assert entry.details == {"reason": "the user has signed in on too many devices"}


class TestUsers:
    async def test_changes_of_users(self, build: Builders):
        """By the operator, by an admin and by users themselves; a change that changes nothing has no entry."""
        root = await user.register(
            build.as_(OPERATOR),
            username="root",
            email="root@example.org",
            password="Correct-horse1",
            hash_password=hashed,
            role=Role.ADMIN,
        )
        ada = await user.register(
            build.as_(None), username="ada", email="ada@example.org", password="Correct-horse1", hash_password=hashed
        )
        admin = Actor(root.id, Role.ADMIN, uuid4(), 1, name="root")
        for role in (Role.MODERATOR, Role.MODERATOR):
            await user.set_user_role(build.as_(admin), user_id=ada.id, role=role)
        for is_active in (False, False, True):
            await user.set_user_active(build.as_(admin), user_id=ada.id, is_active=is_active)
        await user.change_password(
            build.as_(Actor(ada.id, Role.USER, uuid4(), 1, name="ada")),
            current_password="Correct-horse1",
            new_password="Correct-horse2",
            hash_password=hashed,
            verify_password=right,
        )

        found = await entries(build.database)
        assert [facts(row) for row in found] == [
            ("USER_CREATED", "the operator (command line)", None, "USER", "root", {"role": "ADMIN"}),
            ("USER_CREATED", "ada", None, "USER", "ada", {"role": "USER"}),
            ("ROLE_CHANGED", "root", None, "USER", "ada", {"from": "USER", "to": "MODERATOR"}),
            ("USER_DISABLED", "root", None, "USER", "ada", {}),
            ("USER_ENABLED", "root", None, "USER", "ada", {}),
            ("PASSWORD_CHANGED", "ada", None, "USER", "ada", {}),
        ]
        assert "example.org" not in str([row.__dict__ for row in found])

    async def test_what_is_refused_has_no_entry(self, build: Builders):
        """It is rolled back with its entry: the last admin, a taken name, a missing right."""
        root = await build.a_user(Role.ADMIN, username="root")
        with pytest.raises(LastAdmin):
            await user.set_user_role(build.as_(root), user_id=root.id, role=Role.USER)
        with pytest.raises(AlreadyExists):
            await user.register(
                build.as_(None), username="ROOT", email="x@example.org", password="Correct-horse1", hash_password=hashed
            )
        with pytest.raises(Forbidden):
            await user.set_user_active(build.as_(await build.a_user()), user_id=root.id, is_active=False)
        assert await entries(build.database) == []

    async def test_an_entry_is_rolled_back_with_its_action(self, build: Builders):
        """Without a commit, or after an error, there is none."""
        uow = build.as_(OPERATOR)

        async def fail() -> None:
            async with uow:
                uow.audit(AuditEntry(AuditAction.ROLE_CHANGED))
                await uow.try_lock("test")
                raise ZeroDivisionError

        async with uow:
            uow.audit(AuditEntry(AuditAction.ROLE_CHANGED))
        with pytest.raises(ZeroDivisionError):
            await fail()
        async with uow:
            await uow.commit()
        assert await entries(build.database) == []

    async def test_a_successor_of_a_disabled_manager(self, build: Builders):
        """Becomes manager without anyone's choice; the entry says why."""
        root, boss, ada = await build.a_user(Role.ADMIN), await build.a_user(), await build.a_user()
        place = await build.a_project((boss, ProjectRole.MANAGER), (ada, ProjectRole.MEMBER), key="WEB")
        await user.set_user_active(build.as_(root), user_id=boss.id, is_active=False)
        [entry] = await entries(build.database, AuditAction.MEMBER_ROLE_CHANGED)
        assert (entry.subject_id, entry.details) == (
            ada.id,
            {
                "project": "WEB",
                "projectId": str(place.id),
                "from": "MEMBER",
                "to": "MANAGER",
                "reason": "the only manager was disabled",
            },
        )


class TestProjects:
    async def test_a_project_and_its_members(self, build: Builders):
        """From its creation to its deletion."""
        boss, ada, bob = [await build.a_user(username=name) for name in ("boss", "ada", "bob")]
        made = await project.create_project(build.as_(boss), creation=ProjectCreation.EVERYONE, key="WEB", name="Web")
        for each in (ada, bob):
            await membership.add_member(build.as_(boss), project_id=made.id, user_id=each.id, role=ProjectRole.MEMBER)
        for role in (ProjectRole.VIEWER, ProjectRole.VIEWER):
            await membership.set_member_role(build.as_(boss), project_id=made.id, user_id=ada.id, role=role)
        await membership.remove_member(build.as_(boss), project_id=made.id, user_id=bob.id)
        await membership.leave_project(build.as_(ada), project_id=made.id)
        await membership.add_member(build.as_(boss), project_id=made.id, user_id=bob.id, role=ProjectRole.MEMBER)
        for is_archived in (True, True, False):
            await project.archive_project(build.as_(boss), project_id=made.id, is_archived=is_archived)
        with pytest.raises(LastManager):
            await membership.leave_project(build.as_(boss), project_id=made.id)
        await project_deletion.delete_project(build.as_(boss), project_id=made.id)

        where = {"project": "WEB", "projectId": str(made.id)}
        reason = {"reason": "the project is being deleted"}
        found = [(row.action.value, row.subject_name, row.details) for row in await entries(build.database)]
        assert found[:-3] == [
            ("PROJECT_CREATED", "WEB", {}),
            ("MEMBER_ADDED", "ada", where | {"to": "MEMBER"}),
            ("MEMBER_ADDED", "bob", where | {"to": "MEMBER"}),
            ("MEMBER_ROLE_CHANGED", "ada", where | {"from": "MEMBER", "to": "VIEWER"}),
            ("MEMBER_REMOVED", "bob", where | {"from": "MEMBER"}),
            ("MEMBER_LEFT", "ada", where | {"from": "VIEWER"}),
            ("MEMBER_ADDED", "bob", where | {"to": "MEMBER"}),
            ("PROJECT_ARCHIVED", "WEB", {}),
            ("PROJECT_REOPENED", "WEB", {}),
        ]
        assert sorted(found[-3:-1], key=str) == [
            ("MEMBER_REMOVED", "bob", where | {"from": "MEMBER"} | reason),
            ("PROJECT_ARCHIVED", "WEB", reason),
        ]
        assert found[-1] == ("PROJECT_DELETED", "WEB", {})


class TestReading:
    async def test_only_admins_read(self, build: Builders):
        """Also not moderators."""
        for role in (Role.USER, Role.MODERATOR):
            with pytest.raises(Forbidden, match="read the audit log"):
                [each async for each in read_entries(build.as_(await build.an_actor(role)))]

    async def test_pages_have_all_entries_once(self, build: Builders):
        """Of equal times, too; the oldest first."""
        noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
        for minute in range(5):
            uow = build.as_(OPERATOR, now=noon + timedelta(minutes=minute))
            async with uow:
                for _ in range(50):
                    uow.audit(AuditEntry(AuditAction.CLEANED_UP))
                await uow.commit()
        found = await entries(build.database)
        assert len(found) == len({row.id for row in found}) == 250
        assert [row.at for row in found] == sorted(row.at for row in found)
        since, until = noon + timedelta(minutes=1), noon + timedelta(minutes=3)
        assert len(await entries(build.database, since=since, until=until)) == 100


class TestPermanence:
    @pytest.mark.parametrize(
        "change",
        [
            "actor_name = 'mallory'",
            "at = at - interval '1 day'",
            "details = '{}'",
            "times = 5",
            "times = 5, last_at = now()",
            "times = times",
        ],
    )
    async def test_an_entry_cannot_be_changed(self, build: Builders, change: str):
        """The database refuses it."""
        ada = await build.a_user(username="ada")
        uow = build.as_(ada)
        async with uow:
            uow.audit(AuditEntry(AuditAction.USER_ENABLED, Subject.user(ada.id, "ada"), {"a": "b"}))
            await uow.commit()
        async with build.unchanged(), driver_connection(build.database) as connection:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="cannot be changed"):
                await connection.execute(f"UPDATE audit_entries SET {change}")  # noqa: S608 - of the names above

    @pytest.mark.parametrize("change", ["times = times - 1", "ip_address = '::1'", "times = times + 1, at = now()"])
    async def test_a_count_only_grows(self, build: Builders, change: str):
        """And nothing else of its entry changes."""
        for _ in range(2):
            await record_start(build.as_(None), {"WORKERS": 2})
        async with build.unchanged(), driver_connection(build.database) as connection:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="cannot be changed"):
                await connection.execute(f"UPDATE audit_entries SET {change}")  # noqa: S608 - of the names above

    async def test_entries_survive_their_users(self, build: Builders):
        """There is no foreign key."""
        await build.a_user(username="ada")
        await signed_in(build, "ada")
        async with driver_connection(build.database) as connection:
            await connection.execute("DELETE FROM users")
        assert [(row.actor_name, row.action) for row in await entries(build.database)] == [
            ("ada", AuditAction.SIGNED_IN)
        ]


class TestStarts:
    async def test_equal_starts_are_one_entry(self, build: Builders):
        """Of several processes at the same time; other settings are another entry."""
        noon = datetime(2026, 12, 1, 12, 10, tzinfo=UTC)
        together = (record_start(build.as_(None, now=noon), {"WORKERS": 4, "PORT": 80}) for _ in range(4))
        await asyncio.gather(*together)
        await record_start(build.as_(None, now=noon + timedelta(minutes=49)), {"PORT": 80, "WORKERS": 4})
        await record_start(build.as_(None, now=noon), {"WORKERS": 5})
        await record_start(build.as_(None, now=noon + timedelta(hours=1)), {"WORKERS": 4, "PORT": 80})
        found = {(row.at.hour, str(row.details)): row.times for row in await entries(build.database)}
        assert sorted(found.values()) == [1, 1, 5]


class TestRetention:
    async def test_old_entries_are_removed_in_batches(self, build: Builders):
        """Those that are older than the time; the removal is an entry with that time."""
        noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
        for days in (401, 399):
            uow = build.as_(OPERATOR, now=noon - timedelta(days=days))
            async with uow:
                for _ in range(700):
                    uow.audit(AuditEntry(AuditAction.SIGNED_IN))
                await uow.commit()
        removed = await clean_up(
            build.as_(None, now=noon), event_retention=timedelta(days=1), audit_retention=timedelta(days=400)
        )
        assert removed is not None
        assert removed.audit_entries == 700
        found = await entries(build.database)
        assert {row.at for row in found[:-1]} == {noon - timedelta(days=399)}
        assert len(found) == 701
        assert (found[-1].action, found[-1].details["auditBefore"]) == (
            AuditAction.CLEANED_UP,
            "2025-10-27T12:00:00+00:00",
        )

    async def test_a_clean_up_without_removals_has_no_entry(self, build: Builders):
        """Every night would be one."""
        await clean_up(build.as_(None), event_retention=timedelta(days=1))
        assert await entries(build.database) == []

    async def test_one_entry_for_several_kinds(self, build: Builders, shared_database: Database):
        """Sessions and entries are removed by different transactions of one clean-up."""
        ada = await build.a_user()
        await build.a_session(ada, expires_at=datetime.now(UTC) - timedelta(days=1))
        old = build.as_(OPERATOR, now=datetime.now(UTC) - timedelta(days=500))
        async with old:
            old.audit(AuditEntry(AuditAction.SIGNED_IN))
            await old.commit()
        removed = await clean_up(build.as_(OPERATOR), event_retention=timedelta(days=1))
        assert removed is not None
        assert (removed.sessions, removed.audit_entries) == (1, 1)
        assert [row.actor_name for row in await entries(shared_database)] == ["the operator (command line)"]
