"""The roles in projects of an identity: read with it, changed by events, and read again after a gap in the log."""

from typing import Any

import pytest

from domain.errors import Unavailable
from domain.project import ProjectRole
from domain.user import Role
from persistence.models import ProjectRow
from services import membership as membership_service
from streaming.stream_items import ResyncReason
from tests.graphql_api.auth.test_authenticator import AuthProcess, auth, other
from tests.streaming.support import Process, until

__all__ = ["auth", "other"]

VIEWER, MEMBER, MANAGER = ProjectRole


async def set_role(process: Process, project: ProjectRow, auth: AuthProcess, role: ProjectRole | None) -> None:
    """Change the role of the signed-in user in another process or in this one."""
    uow = process.build.as_(await process.build.an_actor(Role.ADMIN))
    if role is None:
        await membership_service.remove_member(uow, project_id=project.id, user_id=auth.user.id)
    else:
        await membership_service.put_member(uow, project_id=project.id, user_id=auth.user.id, role=role)


async def role_in(auth: AuthProcess, project: ProjectRow) -> ProjectRole | None:
    """The role that a request has."""
    return (await auth.authenticate(auth.bearer())).actor.projects.of(project.id)


class TestReading:
    async def test_an_identity_has_the_stored_roles(self, auth: AuthProcess):
        """Of its user, in all projects."""
        shop = await auth.build.a_project((auth.user, VIEWER))
        site = await auth.build.a_project((auth.user, MANAGER))
        foreign = await auth.build.a_project((await auth.build.a_user(), MEMBER))
        actor = (await auth.authenticate(auth.bearer())).actor

        assert [actor.projects.of(each.id) for each in (shop, site, foreign)] == [VIEWER, MANAGER, None]

    async def test_the_sessions_of_a_user_share_their_roles(self, auth: AuthProcess):
        """They are read once, as long as an identity is kept."""
        await auth.build.a_project((auth.user, VIEWER))
        texts: list[str] = []
        auth.process.database.statements.watch(texts.append, lambda begun, failure: None)
        first = await auth.authenticate(auth.bearer())
        second = await auth.authenticate(auth.bearer(await auth.build.a_session(auth.user)))

        assert first.actor.projects is second.actor.projects
        assert sum("FROM sessions" in text for text in texts) == 2
        assert sum("FROM memberships" in text for text in texts) == 1


class TestEvents:
    @pytest.mark.parametrize("role", [None, MEMBER, MANAGER])
    async def test_a_cached_identity_has_the_new_role(self, auth: AuthProcess, role: ProjectRole | None):
        """Once the event is read; the database is not read for it."""
        project = await auth.build.a_project((auth.user, VIEWER), (await auth.build.a_user(), MANAGER))
        header = auth.bearer()
        actor = (await auth.authenticate(header)).actor
        position = auth.process.stream.position
        await set_role(auth.process, project, auth, role)
        await auth.process.reaches(position + 1)

        assert not await auth.reads_database(header)
        assert actor.projects.of(project.id) is role

    async def test_a_change_in_another_process(self, auth: AuthProcess, other: Process):
        """Without a notification it is found in the log."""
        project = await auth.build.a_project()
        actor = (await auth.authenticate(auth.bearer())).actor
        await set_role(other, project, auth, MEMBER)

        await until(lambda: actor.projects.of(project.id) is MEMBER)

    @pytest.mark.parametrize("role", [None, MANAGER])
    async def test_a_change_while_the_roles_are_read(
        self, auth: AuthProcess, role: ProjectRole | None, monkeypatch: pytest.MonkeyPatch
    ):
        """The result of the read is older than the event, which counts."""
        project = await auth.build.a_project((auth.user, VIEWER), (await auth.build.a_user(), MANAGER))
        position = auth.process.stream.position

        async def change() -> None:
            await set_role(auth.process, project, auth, role)
            await auth.process.reaches(position + 1)

        _after_the_read(auth, monkeypatch, change)

        assert await role_in(auth, project) is role


class TestBreak:
    async def test_the_roles_are_read_again(self, auth: AuthProcess):
        """A change in this time has no event that this process reads, so the roles are loaded again."""
        project = await auth.build.a_project((auth.user, VIEWER))
        before = (await auth.authenticate(auth.bearer())).actor
        auth.process.stream._on_log_break(ResyncReason.EPOCH)
        assert before.projects.of(project.id) is None
        other_project = await auth.build.a_project((auth.user, MANAGER))

        assert await role_in(auth, project) is VIEWER
        assert await role_in(auth, other_project) is MANAGER

    async def test_a_break_while_the_roles_are_read(self, auth: AuthProcess, monkeypatch: pytest.MonkeyPatch):
        """The result is not used, and the roles are read again."""
        project = await auth.build.a_project((auth.user, VIEWER))

        async def break_log() -> None:
            auth.process.stream._on_log_break(ResyncReason.EPOCH)
            await auth.build.a_member(site, auth.user, MANAGER)

        site = await auth.build.a_project()
        _after_the_read(auth, monkeypatch, break_log)

        assert (await role_in(auth, project), await role_in(auth, site)) == (VIEWER, MANAGER)

    async def test_a_break_while_another_session_has_the_roles(
        self, auth: AuthProcess, monkeypatch: pytest.MonkeyPatch
    ):
        """The read did not ask for the roles, because they were known at its beginning."""
        project = await auth.build.a_project((auth.user, VIEWER))
        first = await auth.authenticate(auth.bearer())

        async def break_log() -> None:
            auth.process.stream._on_log_break(ResyncReason.EPOCH)

        _after_the_read(auth, monkeypatch, break_log)
        second = await auth.authenticate(auth.bearer(await auth.build.a_session(auth.user)))

        assert first.actor.projects is second.actor.projects
        assert second.actor.projects.of(project.id) is VIEWER

    async def test_breaks_without_end(self, auth: AuthProcess, monkeypatch: pytest.MonkeyPatch):
        """No identity without its roles is returned."""

        async def break_log() -> None:
            auth.process.stream._on_log_break(ResyncReason.EPOCH)

        _after_the_read(auth, monkeypatch, break_log, times=10)

        with pytest.raises(Unavailable):
            await auth.authenticate(auth.bearer())


def _after_the_read(auth: AuthProcess, monkeypatch: pytest.MonkeyPatch, change: Any, times: int = 1) -> None:
    """Call *change* between the statement that reads an identity and the use of its result."""
    reading, left = auth.process.database.reading, [times]

    class Reading:
        """A read whose result arrives late."""

        def __init__(self) -> None:
            self._reading = reading()

        async def __aenter__(self) -> "Reading":
            self._inner = await self._reading.__aenter__()
            return self

        async def __aexit__(self, *error: Any) -> None:
            await self._reading.__aexit__(*error)

        async def rows(self, *arguments: Any) -> Any:
            """The rows as they were before the change."""
            found = await self._inner.rows(*arguments)
            if left[0]:
                left[0] -= 1
                await change()
            return found

    monkeypatch.setattr(auth.process.database, "reading", Reading)
