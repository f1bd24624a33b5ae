"""Users are found in any case of their names, equally in every database."""

import random
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from domain.errors import BadRequest, NotFound
from domain.user import Role
from persistence.errors import Duplicate
from persistence.models import UserRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.pagination import WHOLE_PAGE, PageCursor, PageRequest, Part
from tests.persistence.expected_pages import Expected, expected, some_pages
from tests.support.builders import Builders
from tests.support.reads import assignable_users, user_page
from tests.support.transactions import flush, lock_row

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SHORT_OF_TEXT = ["anna\x00", "\ud800"]


async def is_taken(build: Builders, **values: str) -> bool:
    """Whether a user with this name or address is refused as a duplicate."""
    async with build.as_(None) as uow:
        row = new_row(UserRow, **{"username": "other", "email": "other@example.org", "password_hash": "!"} | values)
        row.id, row.role, row.is_active, row.access_version = new_id(), Role.USER, True, 1
        row.created_at = row.updated_at = NOON
        uow.users.add(row)
        try:
            await flush(uow)
        except Duplicate:
            return True
        return False


class TestCase:
    async def test_a_name_is_found_in_any_case(self, build: Builders):
        """ASCII letters match in any case, and nothing else matches them."""
        user = await build.a_user(username="Ivy.Kim", email="Ivy.Kim@example.org")
        async with build.as_(None) as uow:
            for name in ("Ivy.Kim", "ivy.kim", "IVY.KIM"):
                row = await uow.users.find_by_name(name)
                assert row is not None
                assert row.id == user.id
            # The Kelvin sign and the dotted capital I become ASCII letters in Python's lower case.
            for name in ("Ivy.\u212aim", "\u0130vy.Kim", "ivy_kim", "ivy%", " ivy.kim"):
                assert await uow.users.find_by_name(name) is None

    async def test_addresses_are_unique_ignoring_the_case_of_ascii(self, build: Builders):
        """In every locale, ASCII letters in another case are the same address, and other letters are another one."""
        await build.a_user(email="Jürgen@Example.org")

        assert await is_taken(build, email="jürgen@example.ORG")
        assert not await is_taken(build, email="jÜrgen@example.org")

    @pytest.mark.parametrize("name", SHORT_OF_TEXT)
    async def test_invalid_text_finds_no_user(self, build: Builders, name: str):
        """NUL and lone surrogates raise nothing."""
        async with build.as_(None) as uow:
            assert await uow.users.find_by_name(name) is None
            assert await assignable_users(uow, name, at_most=5) == []


class TestListAssignable:
    async def test_active_users_by_the_beginning_of_their_name(self, build: Builders):
        """By name, ignoring case, without the disabled ones, at most as many as asked for."""
        for name in ("bob", "Bea", "carl"):
            await build.a_user(username=name)
        await build.a_user(username="bill", is_active=False)
        async with build.as_(None) as uow:

            async def names(prefix: str, at_most: int = 10) -> list[str]:
                return [row.username for row in await assignable_users(uow, prefix, at_most=at_most)]

            assert await names("B") == ["Bea", "bob"]
            assert await names("b", 1) == ["Bea"]
            assert await names("") == ["Bea", "bob", "carl"]
            assert await names("x") == []

    async def test_no_character_stands_for_another(self, build: Builders):
        """A percent sign, an underscore and a backslash mean themselves."""
        await build.a_user(username="a_b")
        await build.a_user(username="axb")
        async with build.as_(None) as uow:
            assert [row.username for row in await assignable_users(uow, "A_", at_most=5)] == ["a_b"]
            assert await assignable_users(uow, "a%", at_most=5) == []
            assert await assignable_users(uow, "a\\", at_most=5) == []


class TestGet:
    async def test_an_unknown_id_is_not_found(self, build: Builders):
        """Reading many leaves it out."""
        task = await build.a_task()
        async with build.as_(None) as uow:
            with pytest.raises(NotFound):
                await uow.users.get(task.id)
            assert await uow.lock(uow.users.lock_of(task.id)) == [None]
            assert await uow.users.find(task.id) is None
            assert set(await uow.users.find_many([task.id, task.owner_id])) == {task.owner_id}
            assert await uow.users.find_many([]) == {}

    async def test_a_locked_user_can_be_referenced(self, build: Builders):
        """Tasks of the user can be written while their rights are changed."""
        user = await build.a_user(Role.ADMIN)
        async with build.as_(None) as uow:
            await lock_row(uow, UserRow, user.id)
            await uow.users.lock_active_admins(user.id)
            await build.a_task(user)
            async with build.as_(None) as rival:
                await rival.transaction.begin()
                await rival.transaction.fetch("SET LOCAL lock_timeout = '50ms'")
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await lock_row(rival, UserRow, user.id)


class TestPage:
    async def test_only_names_that_begin_with_the_text(self, build: Builders):
        """Ignoring case, literally, in all parts of the page; no name begins with what cannot be stored."""
        rows = [await build.a_user(username=name) for name in ("Ann_1", "annabel", "ann", "joann")]
        found = {}
        async with build.as_(None) as uow:
            for prefix in ("ANN", "ann_", "a%", "\0", ""):
                request = PageRequest.of(2, order="users.created", parts=WHOLE_PAGE | {Part.TOTAL})
                page = await user_page(uow, request, prefix)
                found[prefix] = (len(page.rows), page.has_next, page.facts["total"])

        assert len(rows) == 4
        assert found == {
            "ANN": (2, True, 3),
            "ann_": (1, False, 1),
            "a%": (0, False, 0),
            "\0": (0, False, 0),
            "": (2, True, 4),
        }

    @pytest.mark.parametrize("first", [1, 3, 7, 100])
    async def test_the_newest_first_each_once(self, build: Builders, first: int):
        """Pages of any size show every user once, equals by id."""
        rows = [await build.a_user(created_at=NOON + timedelta(hours=number % 3)) for number in range(10)]
        met, after = [], None
        async with build.as_(None) as uow:
            while True:
                page = await user_page(uow, PageRequest.of(first, after, order="users.created"))
                met += [row.id for row in page.rows]
                if not page.has_next:
                    break
                after = page.cursors[-1]
            assert await uow.users.count() == 10

        assert met == [row.id for row in sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)]

    async def test_every_page_in_both_directions(self, build: Builders):
        """Rows and both ends are exact, with equal values, and from cursors of deleted users."""
        rows = [await build.a_user(created_at=NOON + timedelta(hours=number % 3)) for number in range(7)]
        places = sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)
        cursors = [PageCursor("users.created", row.created_at.isoformat(), row.id) for row in places]
        async with build.as_(None) as uow:
            for place in (2, 6):
                uow.users.remove(await lock_row(uow, UserRow, places[place].id))
            await uow.commit()
        ids = [row.id for row in places]
        existing = set(ids) - {ids[2], ids[6]}
        async with build.as_(None) as uow:
            for wanted in some_pages(places, random.Random(7), 120):
                after, before = (None if index is None else cursors[index] for index in (wanted.after, wanted.before))
                page = await user_page(uow, PageRequest(wanted.size, after, before, wanted.backward))
                found = Expected([row.id for row in page.rows], page.has_previous, page.has_next)
                assert found == expected(ids, existing, wanted), wanted

    @pytest.mark.parametrize("value", [None, "", "2", "x\x00", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"])
    async def test_a_cursor_that_was_made_up_is_a_bad_request(self, build: Builders, value: str | None):
        """What is no instant is refused before the database sees it."""
        cursor = PageCursor("users.created", value, (await build.a_user()).id)
        async with build.as_(None) as uow:
            with pytest.raises(BadRequest):
                await user_page(uow, PageRequest(5, cursor))
            with pytest.raises(BadRequest):
                await user_page(uow, PageRequest(5, before=cursor))
