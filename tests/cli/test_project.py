"""`taskriver project …`."""

import json
from typing import Any

import pytest

from domain.task import TaskStatus
from domain.user import Role
from persistence.database import Database
from tests.cli.conftest import CommandResult, Run
from tests.support.builders import Builders

LAST = "This is the last active manager of the project; make another member a manager first."
ROLES = "the roles are VIEWER, MEMBER, MANAGER."


@pytest.fixture(autouse=True)
def users(ask: Any) -> None:
    """Three users, and one who is disabled."""

    async def create(database: Database) -> None:
        build = Builders(database)
        await Builders.clear(database)
        for name in ("alice", "bob", "carol"):
            await build.a_user(Role.USER, username=name)
        await build.a_user(username="dora", is_active=False)

    ask(create)


@pytest.fixture
def project(run: Run, database_url: str) -> Any:
    """Run a command about projects."""

    def run_it(*arguments: str, **settings: str) -> CommandResult:
        return run("project", *arguments, **({"DATABASE_URL": database_url} | settings))

    return run_it


class TestCreate:
    def test_a_user_becomes_the_manager(self, project: Any):
        """The key is in upper case; the list has the project."""
        assert project("create", "web", "Web site", "--as", "alice") == CommandResult(
            0, "Created WEB; alice is its manager.\n", ""
        )
        assert project("list") == CommandResult(0, "key  name      tasks  state\nWEB  Web site  0      active\n", "")
        members = "member  role     state\nalice   MANAGER  active\n1 member\n"
        assert project("members", "Web") == CommandResult(0, members, "")

    def test_json(self, project: Any):
        """One object each."""
        made = json.loads(project("create", "WEB", "Web site", "--as", "alice", "--description", "x", "--json").out)
        assert {name: made[name] for name in made if name != "uuid"} == {
            "key": "WEB", "name": "Web site", "description": "x", "isArchived": False, "version": 1, "tasks": 0
        }  # fmt: skip
        assert json.loads(project("list", "--json").out) == {"projects": [made]}
        [member] = json.loads(project("members", "WEB", "--json").out)["members"]
        assert (member["username"], member["role"], member["isActive"]) == ("alice", "MANAGER", True)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("1", "x", "--as", "alice"), "key must be a letter, then 1 to 9 letters or digits."),
            (("WEB", "", "--as", "alice"), "name must not be empty."),
            (("WEB", "x", "--as", "nobody"), "There is no user 'nobody'; `taskriver user create` creates one."),
            (("WEB", "x", "--as", "dora"), "dora is disabled; `taskriver user enable dora` enables the user."),
        ],
    )
    def test_a_refusal_is_one_line(self, project: Any, arguments: tuple[str, ...], message: str):
        """With exit code 1."""
        assert project("create", *arguments) == CommandResult(1, "", f"taskriver: {message}\n")

    def test_the_setting_holds_for_the_command(self, project: Any):
        """As for the API."""
        result = project("create", "WEB", "x", "--as", "alice", PROJECT_CREATION="admins")
        message = "On this server, only admins may create projects; ask one of them."
        assert result == CommandResult(1, "", f"taskriver: {message}\n")

    def test_a_key_is_taken_once(self, project: Any):
        """By the first project."""
        project("create", "WEB", "x", "--as", "alice")
        result = project("create", "web", "y", "--as", "bob")
        message = "A project has the key WEB or had it; choose another one."
        assert result == CommandResult(1, "", f"taskriver: {message}\n")


class TestList:
    def test_no_projects(self, project: Any):
        """One sentence."""
        assert project("list") == CommandResult(0, "There are no projects.\n", "")

    def test_archived_projects_on_request(self, project: Any, ask: Any):
        """With their state."""

        async def create(database: Database) -> None:
            await Builders(database).a_project(key="OLD", name="Old", is_archived=True)

        ask(create)
        assert project("list").out == "There are no projects.\n"
        assert project("list", "--archived").out == "key  name  tasks  state\nOLD  Old   0      archived\n"

    def test_each_project_has_its_number_of_tasks(self, project: Any, ask: Any):
        """In all statuses; personal tasks do not count."""

        async def create(database: Database) -> None:
            build = Builders(database)
            web, _ = await build.a_project(key="WEB", name="Web"), await build.a_project(key="NEW", name="New")
            for status in TaskStatus:
                await build.a_task(project_id=web.id, status=status)
            await build.a_task()

        ask(create)
        listed = "key  name  tasks  state\nNEW  New   0      active\nWEB  Web   4      active\n"
        assert project("list").out == listed
        found = json.loads(project("list", "--json").out)["projects"]
        assert [(each["key"], each["tasks"]) for each in found] == [("NEW", 0), ("WEB", 4)]

    def test_names_cannot_control_the_terminal(self, project: Any):
        """Control characters are left out."""
        project("create", "WEB", "a\x1b[31mb\nc", "--as", "alice")
        assert project("list").out == "key  name     tasks  state\nWEB  a[31mbc  0      active\n"


class TestMembers:
    def test_members_are_added_changed_and_removed(self, project: Any):
        """In one call; the list shows the result."""
        project("create", "WEB", "x", "--as", "alice")
        first = project("members", "WEB", "--set", "bob=member", "--set", "carol=VIEWER")
        assert first.out.splitlines()[1:] == [
            "alice   MANAGER  active", "bob     MEMBER   active", "carol   VIEWER   active", "3 members"
        ]  # fmt: skip
        second = project("members", "WEB", "--set", "bob=manager", "--remove", "carol", "--remove", "alice")
        assert second.out.splitlines()[1:] == ["bob     MANAGER  active", "1 member"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("WEB", "--remove", "alice"), LAST),
            (("WEB", "--remove", "bob"), "This user is not a member of the project."),
            (("WEB", "--set", "bob"), f"--set needs NAME=ROLE, not 'bob'; {ROLES}"),
            (("WEB", "--set", "bob=boss"), f"--set needs NAME=ROLE, not 'bob=boss'; {ROLES}"),
            (("WEB", "--set", "dora=member"), "There is no active user with this id."),
            (("NONE",), "Project not found"),
        ],
    )  # fmt: skip
    def test_a_refusal_is_one_line(self, project: Any, arguments: tuple[str, ...], message: str):
        """With exit code 1."""
        project("create", "WEB", "x", "--as", "alice")
        assert project("members", *arguments) == CommandResult(1, "", f"taskriver: {message}\n")
