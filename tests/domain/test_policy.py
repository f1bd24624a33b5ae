"""The policy table, cell by cell, written down a second time on purpose."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from domain.actor import Actor
from domain.errors import Forbidden, NotFound
from domain.policy import POLICY, Action, may, may_user, reach, require, require_user
from domain.user import Role

OWN, OWN_OR_ASSIGNED, ANY, NONE = "own", "own assigned", "any", ""

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
}
CELLS = [(role, action, cells[column]) for action, cells in TABLE.items() for column, role in enumerate(Role)]
TASK_ACTIONS = [action for action in Action if action.value.endswith(("a task", "a task's status"))]


@dataclass
class People:
    """A task, as far as the policy is concerned."""

    owner_id: UUID
    assignee_id: UUID | None = None


def an_actor(role: Role) -> Actor:
    """Somebody of this role."""
    return Actor(uuid4(), role, uuid4(), 1)


def tasks_of(actor: Actor) -> dict[str, People]:
    """A task for each relation that somebody can have to one."""
    return {
        "own": People(actor.user_id),
        "assigned": People(uuid4(), actor.user_id),
        "both": People(actor.user_id, actor.user_id),
        "none": People(uuid4(), uuid4()),
        "unassigned": People(uuid4()),
    }


class TestTable:
    def test_every_cell_is_here(self):
        """The table of this test has every action, and every role is a column."""
        assert set(TABLE) == set(Action)
        assert list(POLICY) == list(Role) == [Role.USER, Role.MODERATOR, Role.ADMIN]

    @pytest.mark.parametrize(("role", "action", "cell"), CELLS)
    def test_a_role_reaches_what_its_cell_says(self, role: Role, action: Action, cell: str):
        """Each cell of the policy is the one that is written here."""
        assert {reached.value for reached in reach(role, action)} == set(cell.split())


class TestMay:
    @pytest.mark.parametrize(("role", "action", "cell"), [cell for cell in CELLS if cell[1] in TASK_ACTIONS])
    def test_the_relation_to_the_task_decides(self, role: Role, action: Action, cell: str):
        """Own reaches what one owns, assigned what one is assigned to, any reaches all, and `require` agrees."""
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

    def test_a_task_of_nobody_is_not_assigned_to_the_operator(self):
        """A task without an assignee is assigned to no one, not to whoever has no id."""
        assert not may(Actor(uuid4(), Role.USER, None, 0), Action.READ_TASK, People(uuid4(), None))


class TestMayUser:
    @pytest.mark.parametrize(("role", "action", "cell"), CELLS)
    def test_oneself_and_others(self, role: Role, action: Action, cell: str):
        """Own reaches oneself, any reaches everybody, and `require_user` refuses at the field it is told."""
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
    def test_a_refusal_says_when_it_would_be_allowed(self):
        """A moderator reads that a status may be changed if the task is theirs, by either relation."""
        moderator = an_actor(Role.MODERATOR)
        with pytest.raises(Forbidden) as caught:
            require(moderator, Action.CHANGE_STATUS, People(uuid4()))

        assert caught.value.message == (
            "With role MODERATOR you may change a task's status only if it is your own or assigned to you."
        )

    def test_a_closed_action_says_whom_to_ask(self):
        """Who may not set roles is told to ask an admin."""
        with pytest.raises(Forbidden) as caught:
            require_user(an_actor(Role.USER), Action.SET_ROLE, uuid4())

        assert caught.value.message == "With role USER you may not set a user's role; ask an admin."
