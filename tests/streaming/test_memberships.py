"""The roles of users in projects: what a read and the events of the log leave, in any order."""

import gc
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.events import MembershipEvent
from domain.project import ProjectRole
from domain.user import Role
from streaming.memberships import KnownRoles, Memberships

ALICE, BOB = UUID(int=1), UUID(int=2)
SHOP, SITE = UUID(int=11), UUID(int=12)
VIEWER, MEMBER, MANAGER = ProjectRole


def event(role: ProjectRole | None, project: UUID = SHOP, user: UUID = ALICE) -> MembershipEvent:
    """A change of a role."""
    return MembershipEvent(user, project, user, datetime.now(UTC), None, role)


def rows(**roles: ProjectRole) -> list[str]:
    """What a read of the memberships returns, by the names of the projects."""
    return [f"{ {'shop': SHOP, 'site': SITE}[name] } {role.value}" for name, role in roles.items()]


def content(roles: KnownRoles) -> dict[UUID, ProjectRole | None]:
    """All roles."""
    return {project: roles.of(project) for project in roles}


def loaded(**roles: ProjectRole) -> KnownRoles:
    """Roles that were read."""
    known = KnownRoles()
    known.load(known.begin_read(), rows(**roles))
    return known


class TestRead:
    def test_a_read_gives_the_roles(self):
        """A personal task has no project, so there is no role."""
        known = loaded(shop=MEMBER, site=VIEWER)

        assert known.is_loaded
        assert content(known) == {SHOP: MEMBER, SITE: VIEWER}
        assert known.of(None) is None

    def test_a_user_without_projects_is_loaded(self):
        """An empty result is a result."""
        assert loaded().is_loaded

    def test_the_first_of_two_reads_counts(self):
        """Events since then are applied to it, so the later result is not needed, and may be the older one."""
        known = KnownRoles()
        first, second = known.begin_read(), known.begin_read()
        known.load(second, rows(shop=MEMBER))
        known.apply(event(None))
        known.load(first, rows(shop=MEMBER, site=MANAGER))

        assert content(known) == {}


class TestEvents:
    @pytest.mark.parametrize("role", [None, VIEWER, MEMBER, MANAGER])
    def test_an_event_changes_one_role(self, role: ProjectRole | None):
        """A user joins, leaves, or gets another role."""
        for known in (loaded(site=VIEWER), loaded(shop=MEMBER, site=VIEWER)):
            known.apply(event(role))

            assert (known.of(SHOP), known.of(SITE)) == (role, VIEWER)
            assert (SHOP in known) is (role is not None)

    @pytest.mark.parametrize("role", [None, VIEWER, MANAGER])
    def test_an_event_during_the_read_counts(self, role: ProjectRole | None):
        """The read may have begun before the change was committed."""
        known = KnownRoles()
        reading = known.begin_read()
        known.apply(event(role))
        known.load(reading, rows(shop=MEMBER, site=MEMBER))

        assert (known.of(SHOP), known.of(SITE)) == (role, MEMBER)

    def test_an_event_that_is_older_than_the_read_is_corrected_by_the_next_one(self):
        """The log has both changes, in order."""
        known = KnownRoles()
        reading = known.begin_read()
        known.apply(event(MANAGER))
        known.load(reading, rows())  # the user has left since
        known.apply(event(None))

        assert content(known) == {}

    def test_a_repeated_event_changes_nothing(self):
        """Also that of a user who left."""
        known = loaded(shop=MEMBER)
        for _ in range(2):
            known.apply(event(None))

        assert content(known) == {}


class TestForget:
    def test_nothing_is_left(self):
        """The roles have to be read again."""
        known = loaded(shop=MEMBER)
        known.forget()

        assert (known.is_loaded, content(known)) == (False, {})

    def test_a_read_from_before_is_not_used(self):
        """Events after its begin were missed; a later read is used."""
        known = KnownRoles()
        before = known.begin_read()
        known.forget()
        after = known.begin_read()
        known.load(before, rows(shop=MANAGER))
        assert not known.is_loaded
        known.load(after, rows(shop=VIEWER))

        assert content(known) == {SHOP: VIEWER}

    def test_an_event_from_before_does_not_hide_what_is_read_later(self):
        """The later read has what that event changed."""
        known = KnownRoles()
        known.apply(event(VIEWER))
        known.forget()
        known.load(known.begin_read(), rows(shop=MANAGER))

        assert content(known) == {SHOP: MANAGER}

    def test_an_event_between_forgetting_and_reading_counts(self):
        """It may be newer than the read."""
        known = loaded(shop=MEMBER)
        known.forget()
        reading = known.begin_read()
        known.apply(event(None))
        known.load(reading, rows(shop=MEMBER))

        assert content(known) == {}


class TestMemberships:
    def test_the_sessions_of_a_user_have_one_object(self):
        """An event of another user does not change it."""
        memberships = Memberships()
        first, second = memberships.of_user(ALICE), memberships.of_user(ALICE)
        other = memberships.of_user(BOB)
        memberships.apply(event(MEMBER))

        assert first is second is not other
        assert (first.of(SHOP), other.of(SHOP)) == (MEMBER, None)

    def test_an_event_of_a_user_without_sessions_is_not_kept(self):
        """The roles are read when the user signs in."""
        memberships = Memberships()
        memberships.apply(event(MEMBER))

        assert content(memberships.of_user(ALICE)) == {}
        assert not memberships.of_user(ALICE).is_loaded

    def test_all_users_are_forgotten(self):
        """After events were missed."""
        memberships = Memberships()
        found = [memberships.of_user(each) for each in (ALICE, BOB)]
        for each in found:
            each.load(each.begin_read(), rows(shop=MEMBER))
        memberships.forget_all()

        assert [(each.is_loaded, content(each)) for each in found] == [(False, {})] * 2

    def test_roles_live_as_long_as_an_actor(self):
        """Nothing is left of a user whose identities are gone."""
        memberships = Memberships()
        roles = memberships.of_user(ALICE)
        roles.load(roles.begin_read(), rows(shop=MEMBER))
        actor = Actor(ALICE, Role.USER, None, 1, roles)
        del roles
        gc.collect()
        assert memberships.of_user(ALICE) is actor.projects
        del actor
        gc.collect()

        assert not memberships.of_user(ALICE).is_loaded
        assert len(memberships._of_user) == 0
