"""The policy table, written down a second time on purpose."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from domain.access_token import IN_PROJECT as IN_PROJECT_SCOPES
from domain.access_token import Scope, effective
from domain.actor import Actor
from domain.errors import Forbidden, NotFound
from domain.policy import (
    POLICY,
    SCOPES,
    Action,
    Reach,
    may,
    may_comment,
    may_user,
    reach,
    reach_of,
    require,
    require_comment,
    require_project,
    require_user,
)
from domain.project import ProjectRole
from domain.user import Role

OWN, ANY, NONE = "own", "any", ""
VIEWER, MEMBER, MANAGER = "viewer", "member", "manager"

# action: user, moderator, admin
TABLE = {
    Action.CREATE_TASK: ("own member", "own member", ANY),
    Action.READ_TASK: ("own assigned viewer", ANY, ANY),
    Action.UPDATE_TASK: ("own member", "own member", ANY),
    Action.CHANGE_STATUS: ("own assigned member", "own assigned member", ANY),
    Action.ASSIGN_TASK: ("own member", "own member", ANY),
    Action.DELETE_TASK: ("own manager", ANY, ANY),
    Action.RESTORE_TASK: ("own manager", ANY, ANY),
    Action.CREATE_COMMENT: ("own assigned viewer", "own assigned viewer", ANY),
    Action.UPDATE_COMMENT: ("author", "author", ANY),
    Action.DELETE_COMMENT: ("author own manager", ANY, ANY),
    Action.READ_USER: (ANY, ANY, ANY),
    Action.READ_EMAIL: (OWN, OWN, ANY),
    Action.LIST_USERS: (NONE, NONE, ANY),
    Action.SET_ROLE: (NONE, NONE, ANY),
    Action.SET_ACTIVE: (NONE, NONE, ANY),
    Action.DELETE_USER: (OWN, OWN, ANY),
    Action.LIST_SESSIONS: (OWN, OWN, OWN),
    Action.REVOKE_SESSION: (OWN, OWN, OWN),
    Action.CREATE_TOKEN: (OWN, OWN, OWN),
    Action.LIST_TOKENS: (OWN, OWN, OWN),
    Action.REVOKE_TOKEN: (OWN, OWN, OWN),
    Action.MANAGE_IDENTITIES: (OWN, OWN, OWN),
    Action.CREATE_PROJECT: (ANY, ANY, ANY),
    Action.READ_PROJECT: (VIEWER, ANY, ANY),
    Action.UPDATE_PROJECT: (MANAGER, MANAGER, ANY),
    Action.ARCHIVE_PROJECT: (MANAGER, MANAGER, ANY),
    Action.DELETE_PROJECT: (MANAGER, MANAGER, ANY),
    Action.MANAGE_MEMBERS: (MANAGER, MANAGER, ANY),
    Action.MANAGE_LABELS: (MANAGER, MANAGER, ANY),
    Action.MANAGE_INVITATIONS: (MANAGER, MANAGER, ANY),
    Action.MANAGE_SERVICE_ACCOUNTS: (MANAGER, MANAGER, ANY),
    Action.READ_AUDIT: (NONE, NONE, ANY),
}
CELLS = [(role, action, cells[column]) for action, cells in TABLE.items() for column, role in enumerate(Role)]
TASK_ACTIONS = [action for action in Action if action.value.endswith(("a task", "a task's status"))]


@dataclass
class People:
    """The people of a task."""

    owner_id: UUID
    assignee_id: UUID | None = None
    project_id: UUID | None = None


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


SCOPE_WORDS = {
    "tasks:read": {Action.READ_TASK, Action.READ_PROJECT},
    "tasks:write": {
        *(Action.CREATE_TASK, Action.UPDATE_TASK, Action.CHANGE_STATUS, Action.ASSIGN_TASK, Action.DELETE_TASK),
        *(Action.RESTORE_TASK, Action.CREATE_COMMENT, Action.UPDATE_COMMENT, Action.DELETE_COMMENT),
    },
    "projects:manage": {
        *(Action.CREATE_PROJECT, Action.UPDATE_PROJECT, Action.ARCHIVE_PROJECT, Action.DELETE_PROJECT),
        *(Action.MANAGE_MEMBERS, Action.MANAGE_LABELS),
    },
    "account": {Action.READ_EMAIL, Action.LIST_SESSIONS, Action.REVOKE_SESSION},
    "admin": {Action.LIST_USERS, Action.SET_ROLE, Action.SET_ACTIVE, Action.READ_AUDIT},
}
"""By the scope: what it permits beside what every token may do. The rest needs a session."""


class TestScopes:
    def test_the_table_is_complete(self):
        """It has every action."""
        assert set(SCOPES) == set(Action)

    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("scope", Scope)
    def test_a_token_reaches_what_its_scope_permits(self, scope: Scope, role: Role):
        """As far as the role does, and nothing else."""
        scopes = effective([scope.value])
        actor = Actor(uuid4(), role, None, 1, token_id=uuid4(), scopes=scopes)
        permitted = {Action.READ_USER}.union(*(SCOPE_WORDS[each.value] for each in scopes))
        for action in Action:
            assert reach_of(actor, action) == (reach(role, action) if action in permitted else frozenset())

    @pytest.mark.parametrize("scope", Scope)
    def test_a_token_for_one_project_reaches_what_a_member_does(self, scope: Scope):
        """Nothing personal, nothing of a moderator or an admin, nothing outside projects, and no other scope."""
        scopes = effective([scope.value], in_project=True)
        assert bool(scopes) is (scope in IN_PROJECT_SCOPES)
        permitted = {Action.READ_USER}.union(*(SCOPE_WORDS[each.value] for each in scopes)) if scopes else set()
        in_projects = {Reach.AUTHOR, Reach.VIEWER, Reach.MEMBER, Reach.MANAGER}
        for role in Role:
            actor = Actor(uuid4(), role, None, 1, token_id=uuid4(), scopes=scopes, project_id=uuid4())
            for action in Action:
                found = reach_of(actor, action)
                if action is Action.READ_USER:
                    assert found == (reach(Role.USER, action) if action in permitted else frozenset())
                    continue
                expected = reach(Role.USER, action) & in_projects if action in permitted else frozenset()
                assert found == (expected | {Reach.ONE_PROJECT} if expected else frozenset())

    @pytest.mark.parametrize("role", Role)
    def test_a_session_has_no_restriction(self, role: Role):
        """Nor does the operator at the command line."""
        for actor in (an_actor(role), Actor(uuid4(), role, None, 0)):
            assert all(reach_of(actor, action) == reach(role, action) for action in Action)

    def test_a_refusal_names_the_missing_scope(self):
        """If the actor may see the object; else it is not found."""
        user_id = uuid4()
        reader = Actor(user_id, Role.ADMIN, None, 1, token_id=uuid4(), scopes=frozenset({Scope.TASKS_READ}))
        outsider = Actor(user_id, Role.ADMIN, None, 1, token_id=uuid4(), scopes=frozenset({Scope.ACCOUNT}))
        project = People(user_id, None, uuid4())
        for task, role in ((People(user_id), None), (project, ProjectRole.MANAGER)):
            with pytest.raises(Forbidden, match="the scope tasks:write"):
                require(reader, Action.UPDATE_TASK, task, role)
            with pytest.raises(NotFound):
                require(outsider, Action.UPDATE_TASK, task, role)
        with pytest.raises(Forbidden, match="the scope projects:manage"):
            require_project(reader, Action.UPDATE_PROJECT, ProjectRole.MANAGER)
        with pytest.raises(Forbidden, match="the scope tasks:write"):
            require_comment(reader, Action.UPDATE_COMMENT, user_id, People(user_id))
        with pytest.raises(Forbidden, match=r"cannot do this: sign in\."):
            require_user(reader, Action.CREATE_TOKEN, user_id)


class TestMay:
    @pytest.mark.parametrize(("role", "action", "cell"), [cell for cell in CELLS if cell[1] in TASK_ACTIONS])
    def test_the_relation_to_the_task_decides(self, role: Role, action: Action, cell: str):
        """Own needs the owner, assigned needs the assignee, any includes all tasks; `require` agrees."""
        actor = an_actor(role)
        expected = {
            "own": "own" in cell or cell == ANY,
            "assigned": "assigned" in cell or cell == ANY,
            "both": "own" in cell or "assigned" in cell or cell == ANY,
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


class TestMayInProject:
    @pytest.mark.parametrize("is_archived", [False, True])
    @pytest.mark.parametrize(("role", "action", "cell"), [cell for cell in CELLS if cell[1] in TASK_ACTIONS])
    def test_only_the_role_in_the_project_decides(self, role: Role, action: Action, cell: str, is_archived: bool):
        """Not the owner, not the assignee. In an archived project everything but reading is refused to everyone."""
        actor, project_id = an_actor(role), uuid4()
        ranks = {VIEWER: 1, MEMBER: 2, MANAGER: 3}
        needed = min((ranks[name] for name in cell.split() if name in ranks), default=4)
        for rank, project_role in enumerate((None, *ProjectRole)):
            for people in tasks_of(actor).values():
                task = People(people.owner_id, people.assignee_id, project_id)
                allowed = (rank >= needed or cell == ANY) and (not is_archived or action is Action.READ_TASK)
                assert may(actor, action, task, project_role, is_archived=is_archived) is allowed
                if allowed:
                    require(actor, action, task, project_role, is_archived=is_archived)
                else:
                    refusal = Forbidden if may(actor, Action.READ_TASK, task, project_role) else NotFound
                    with pytest.raises(refusal):
                        require(actor, action, task, project_role, is_archived=is_archived)

    def test_a_role_in_a_project_is_no_right_to_a_personal_task(self):
        """A role that is passed by mistake permits nothing."""
        assert not may(an_actor(Role.USER), Action.READ_TASK, People(uuid4()), ProjectRole.MANAGER)


class TestMayComment:
    @pytest.mark.parametrize("is_archived", [False, True])
    @pytest.mark.parametrize("role", Role)
    def test_on_a_personal_task(self, role: Role, is_archived: bool):
        """Authors change and delete their comments while they may read the task; its owner deletes all comments."""
        actor, other = an_actor(role), uuid4()
        for relation, task in tasks_of(actor).items():
            reads = relation in {"own", "assigned", "both"} or role is not Role.USER
            for author_id in (actor.user_id, other):
                may_update = (reads and author_id == actor.user_id) or role is Role.ADMIN
                may_delete = may_update or relation in {"own", "both"} or role is not Role.USER
                for action, permitted in ((Action.UPDATE_COMMENT, may_update), (Action.DELETE_COMMENT, may_delete)):
                    allowed = permitted and not is_archived
                    assert may_comment(actor, action, author_id, task, is_archived=is_archived) is allowed
                    if reads and not allowed:
                        with pytest.raises(Forbidden):
                            require_comment(actor, action, author_id, task, is_archived=is_archived)

    @pytest.mark.parametrize("is_archived", [False, True])
    @pytest.mark.parametrize("role", Role)
    def test_in_a_project(self, role: Role, is_archived: bool):
        """Authors need to be members, and managers delete all comments; the owner of the task has no rights."""
        actor, other = an_actor(role), uuid4()
        for project_role in (None, *ProjectRole):
            for people in tasks_of(actor).values():
                task = People(people.owner_id, people.assignee_id, uuid4())
                reads = project_role is not None or role is not Role.USER
                for author_id in (actor.user_id, other):
                    may_update = (reads and author_id == actor.user_id) or role is Role.ADMIN
                    may_delete = may_update or project_role is ProjectRole.MANAGER or role is not Role.USER
                    for action, allowed in ((Action.UPDATE_COMMENT, may_update), (Action.DELETE_COMMENT, may_delete)):
                        found = may_comment(actor, action, author_id, task, project_role, is_archived=is_archived)
                        assert found is (allowed and not is_archived)

    def test_the_messages(self):
        """What would help: to have written it, or to activate the project."""
        actor, task = an_actor(Role.USER), People(uuid4(), None, uuid4())
        for is_archived, author_id, message in (
            (False, uuid4(), "You may change a comment only if you wrote it."),
            (True, uuid4(), "You may change a comment only if you wrote it."),
            (
                True,
                actor.user_id,
                "The project is archived: make it active again before you change anything in it.",
            ),
        ):
            with pytest.raises(Forbidden) as caught:
                require_comment(
                    actor, Action.UPDATE_COMMENT, author_id, task, ProjectRole.MEMBER, is_archived=is_archived
                )
            assert caught.value.message == message


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

    @pytest.mark.parametrize(
        ("action", "role", "is_archived", "message"),
        [
            (
                Action.UPDATE_TASK,
                ProjectRole.VIEWER,
                False,
                "You may change a task only with the role MEMBER in the project; ask a manager.",
            ),
            (
                Action.DELETE_TASK,
                ProjectRole.MEMBER,
                True,
                "You may delete a task only with the role MANAGER in the project; ask a manager.",
            ),
            (
                Action.DELETE_TASK,
                ProjectRole.MANAGER,
                True,
                "The project is archived: make it active again before you change anything in it.",
            ),
        ],
    )
    def test_a_refusal_in_a_project_names_the_role_or_the_archive(
        self, action: Action, role: ProjectRole, is_archived: bool, message: str
    ):
        """The role comes first: activating the project would not help."""
        with pytest.raises(Forbidden) as caught:
            require(an_actor(Role.USER), action, People(uuid4(), None, uuid4()), role, is_archived=is_archived)

        assert caught.value.message == message

    def test_a_refusal_of_an_admin_action_mentions_admins(self):
        """The message says to ask an admin."""
        with pytest.raises(Forbidden) as caught:
            require_user(an_actor(Role.USER), Action.SET_ROLE, uuid4())

        assert caught.value.message == "With role USER you may not set a user's role; ask an admin."
