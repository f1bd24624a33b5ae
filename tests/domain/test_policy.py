"""The policy table, written down a second time on purpose."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from domain.actor import Actor
from domain.errors import Forbidden, NotFound
from domain.policy import POLICY, Action, may, may_user, reach, require, require_user
from domain.user import Role

OWN, OWN_OR_ASSIGNED, ANY, NONE = "own", "own assigned", "any", ""
VIEWER, MANAGER = "viewer", "manager"

# action: user, moderator, admin
TABLE = {
    Action.CREATE_TASK: (OWN, OWN, ANY),
    Action.READ_TASK: (OWN_OR_ASSIGNED, ANY, ANY),
    Action.UPDATE_TASK: (OWN, OWN, ANY),
    Action.CHANGE_STATUS: (OWN_OR_ASSIGNED, OWN_OR_ASSIGNED, ANY),
    Action.ASSIGN_TASK: (OWN, OWN, ANY),
    Action.DELETE_TASK: (OWN, ANY, ANY),
    Action.READ_USER: (ANY, ANY, ANY),
    Action.READ_EMAIL: (OWN, OWN, ANY),
    Action.LIST_USERS: (NONE, NONE, ANY),
    Action.SET_ROLE: (NONE, NONE, ANY),
    Action.SET_ACTIVE: (NONE, NONE, ANY),
    Action.LIST_SESSIONS: (OWN, OWN, OWN),
    Action.REVOKE_SESSION: (OWN, OWN, OWN),
    Action.CREATE_PROJECT: (ANY, ANY, ANY),
    Action.READ_PROJECT: (VIEWER, ANY, ANY),
    Action.UPDATE_PROJECT: (MANAGER, MANAGER, ANY),
    Action.ARCHIVE_PROJECT: (MANAGER, MANAGER, ANY),
    Action.DELETE_PROJECT: (MANAGER, MANAGER, ANY),
    Action.MANAGE_MEMBERS: (MANAGER, MANAGER, ANY),
}
CELLS = [(role, action, cells[column]) for action, cells in TABLE.items() for column, role in enumerate(Role)]
TASK_ACTIONS = [action for action in Action if action.value.endswith(("a task", "a task's status"))]


@dataclass
class People:
    """The people of a task."""

    owner_id: UUID
    assignee_id: UUID | None = None


def an_actor(role: Role) -> Actor:
    """An actor with this role."""
    return Actor(uuid4(), role, uuid4(), 1)


def tasks_of(actor: Actor) -> dict[str, People]:
    """One task for each relation of an actor to a task."""
    return {
        "own": People(actor.user_id),
        "assigned": People(uuid4(), actor.user_id),
        "both": People(actor.user_id, actor.user_id),
        "none": People(uuid4(), uuid4()),
        "unassigned": People(uuid4()),
    }


class TestTable:
    def test_the_table_is_complete(self):
        """It has every action and every role."""
        assert set(TABLE) == set(Action)
        assert list(POLICY) == list(Role) == [Role.USER, Role.MODERATOR, Role.ADMIN]

    @pytest.mark.parametrize(("role", "action", "cell"), CELLS)
    def test_each_role_has_the_reach_of_its_cell(self, role: Role, action: Action, cell: str):
        """Each cell of the policy equals the cell here."""
        assert {reached.value for reached in reach(role, action)} == set(cell.split())


class TestMay:
    @pytest.mark.parametrize(("role", "action", "cell"), [cell for cell in CELLS if cell[1] in TASK_ACTIONS])
    def test_the_relation_to_the_task_decides(self, role: Role, action: Action, cell: str):
        """Own needs the owner, assigned needs the assignee, any includes all tasks; `require` agrees."""
        actor = an_actor(role)
        expected = {
            "own": "own" in cell or cell == ANY,
            "assigned": "assigned" in cell or cell == ANY,
            "both": cell != NONE,
            "none": cell == ANY,
            "unassigned": cell == ANY,
        }
        for relation, task in tasks_of(actor).items():
            assert may(actor, action, task) is expected[relation]
            if expected[relation]:
                require(actor, action, task)
            else:
                refusal = Forbidden if may(actor, Action.READ_TASK, task) else NotFound
                with pytest.raises(refusal) as caught:
                    require(actor, action, task)
                assert caught.value.path == ("id",)

    def test_an_unassigned_task_is_not_assigned_to_the_operator(self):
        """The operator has no id, and the task has no assignee: these are not equal."""
        assert not may(Actor(uuid4(), Role.USER, None, 0), Action.READ_TASK, People(uuid4(), None))


class TestMayUser:
    @pytest.mark.parametrize(("role", "action", "cell"), CELLS)
    def test_own_and_any_user(self, role: Role, action: Action, cell: str):
        """Own is the actor, any is every user; `require_user` refuses at the given field."""
        actor = an_actor(role)
        expected = {actor.user_id: "own" in cell or cell == ANY, uuid4(): cell == ANY}
        for user_id, allowed in expected.items():
            assert may_user(actor, action, user_id) is allowed
            if allowed:
                require_user(actor, action, user_id)
            else:
                with pytest.raises(Forbidden) as caught:
                    require_user(actor, action, user_id, path=("role",))
                assert caught.value.path == ("role",)


class TestMessages:
    def test_a_refusal_says_when_the_action_is_allowed(self):
        """A moderator may change the status of an own or assigned task."""
        moderator = an_actor(Role.MODERATOR)
        with pytest.raises(Forbidden) as caught:
            require(moderator, Action.CHANGE_STATUS, People(uuid4()))

        assert caught.value.message == (
            "With role MODERATOR you may change a task's status only if it is your own or assigned to you."
        )

    def test_a_refusal_of_an_admin_action_mentions_admins(self):
        """The message says to ask an admin."""
        with pytest.raises(Forbidden) as caught:
            require_user(an_actor(Role.USER), Action.SET_ROLE, uuid4())

        assert caught.value.message == "With role USER you may not set a user's role; ask an admin."
