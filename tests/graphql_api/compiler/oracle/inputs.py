"""Inputs of every mutation, at random: accepted ones, ones that a rule refuses, and malformed ones."""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from domain.project import ProjectRole
from domain.sign_in_code import challenge_of
from domain.task import MAX_DESCRIPTION, MAX_TITLE, TaskPriority, TaskStatus
from domain.user import MAX_USERNAME, Role
from graphql_api.schema.ids import encode_id
from services.task_bulk import MAX_TASKS
from tests.graphql_api.compiler.oracle.situation import (
    CHOSEN,
    COMMENTS,
    DELETED,
    DEVICES,
    IN_PROJECTS,
    LABELS,
    PASSWORD,
    PORT,
    PROJECTS,
    ROLES,
    TASKS,
    TRASH,
    VERIFIER,
    Situation,
    code_name,
    global_id,
    session_name,
)

Values = dict[str, Any]

NEW_PASSWORDS: Final = ("Another-horse1", "Battery-staple2")
_BAD_IDS: Final = ("", "nonsense", "VGFzazo", "ünïcode", "x" * 300, None)
_BAD_NEW_IDS: Final = (UUID(int=4 << 76 | 2 << 62), UUID(int=2**128 - 1 - (8 << 76) - (1 << 62)))
"""Of version 4, and of a time in the future."""
_TITLES: Final = ("A title", 'Quote " and \\', "💥")
_BAD_TITLES: Final = ("", "   ", "x" * (MAX_TITLE + 1), "nul \0 byte", None, 7)
_DESCRIPTIONS: Final = ("", "Some text", "x" * 300)
_BAD_DESCRIPTIONS: Final = ("x" * (MAX_DESCRIPTION + 1), "nul \0 byte", None)
_INSTANTS: Final = ("2031-12-24T18:00:00Z", "2031-01-01T00:00:00+01:00", "2032-06-01T12:00:00.5-05:00", None)
_BAD_INSTANTS: Final = ("2031-12-24", "2031-02-30T00:00:00Z", "2031-12-24T18:00:00", "soon", 7, "")
_BAD_PASSWORDS: Final = ("short", "no-upper-case1", "With a space1", "x" * 5_000, "", None)
_NAMES: Final = ("newcomer", "Another.One", "n-3")
_BAD_NAMES: Final = ("x", "-dash-", "x" * (MAX_USERNAME + 1), "ünïcode", None)


class Inputs:
    """Makes inputs for one actor in one situation; *wild* ones may break the types of the schema."""

    def __init__(self, situation: Situation, actor: str | None, chance: random.Random) -> None:
        self._situation = situation
        self._actor = actor or "owner"
        self._chance = chance

    def of(self, field: str, *, wild: bool) -> Values | None:
        """The input of a mutation; None if it takes none."""
        make = _MAKERS[field]
        if make is None:
            return None
        values = make(self)
        if wild:
            self._break(values)
        return values

    def _break(self, values: Values) -> None:
        """Leave something out, or make it null or of another type."""
        name = self._chance.choice(list(values)) if values else "surplus"
        how = self._chance.random()
        if how < 0.3:
            values.pop(name, None)
        else:
            values[name] = self._chance.choice((None, 7, "", "nonsense", [], {}, True))

    def _one(self, good: Any, bad: Any, share: float = 0.06) -> Any:
        """One of the good values; now and then one of the bad ones."""
        return self._chance.choice(bad if self._chance.random() < share else good)

    def _maybe(self, likely: float, **values: Any) -> Values:
        return values if self._chance.random() < likely else {}

    def _user(self) -> Any:
        return self._one([global_id("User", name) for name in ROLES], [*_BAD_IDS, global_id("User", "nobody")])

    def _task(self) -> Any:
        own = [name for name, (owner, *_) in TASKS.items() if owner == self._actor] or list(TASKS)
        chosen = self._one(own, [*TASKS, DELETED], 0.4)
        return self._one([global_id("Task", chosen)], [*_BAD_IDS, global_id("User", "owner")], 0.08)

    def _version(self) -> Values:
        return self._maybe(0.3, expectedVersion=self._one((1, 2, None), (0, -1, 99, 2**40, "1"), 0.2))

    def create_task(self) -> Values:
        """All fields except the title are optional."""
        return {
            "title": self._one(_TITLES, _BAD_TITLES),
            **self._maybe(0.5, description=self._one(_DESCRIPTIONS, _BAD_DESCRIPTIONS)),
            **self._maybe(0.5, priority=self._priority()),
            **self._maybe(0.5, dueAt=self._one(_INSTANTS, _BAD_INSTANTS)),
            **self._maybe(0.4, assigneeId=self._user()),
            **self._maybe(0.3, projectId=self._project()),
            **self._maybe(0.2, labelIds=self._labels()),
            **self._maybe(0.2, parentId=self._parent()),
            **self._maybe(0.3, id=self._new_id()),
        }

    def _new_id(self) -> Any:
        bad = [encode_id("Task", each) for each in _BAD_NEW_IDS]
        taken = [global_id("Task", name) for name in ("todo", "in app", "own trash", "thrown away")]
        return self._one([global_id("Task", name) for name in CHOSEN], [*_BAD_IDS, *bad, *taken], 0.3)

    def _in_project(self) -> Any:
        """A task of a project, more often than a personal one."""
        there = [name for name in TASKS if name in IN_PROJECTS]
        chosen = self._one(there, [*TASKS, *TRASH, DELETED], 0.2)
        return self._one([global_id("Task", chosen)], [*_BAD_IDS, global_id("User", "owner")], 0.03)

    def _parent(self) -> Any:
        good = [global_id("Task", name) for name in ("parent", "in app", "in web")]
        return self._one(good, [self._in_project()], 0.4)

    def set_task_parent(self) -> Values:
        """Of any task, also of one that is there already; or none."""
        parent = self._one((self._parent(), None), (self._in_project(),), 0.3)
        return {"id": self._in_project()} | self._maybe(0.85, parentId=parent) | self._version()

    def move_task(self) -> Values:
        """Any of a status, a place and a project."""
        sides = self._one((("after",), ("before",)), (("after", "before"),))
        return {
            "id": self._one((self._in_project(), self._in_project(), self._task()), (None,), 0.02),
            **self._maybe(0.4, status=self._one([each.name for each in TaskStatus], ("NOWHERE", None), 0.08)),
            **self._maybe(0.6, **{side: self._one((self._in_project(),), (None,)) for side in sides}),
            **self._maybe(0.4, projectId=self._one((self._project(),), (None,), 0.25)),
            **self._version(),
        }

    def update_tasks(self) -> Values:
        """Any fields of some tasks."""
        ids = [self._one((self._in_project(), self._task()), (None,), 0.02) for _ in range(self._chance.randint(0, 4))]
        return {
            "ids": self._one((ids,), (ids * MAX_TASKS, None), 0.04),
            **self._maybe(0.6, status=self._one([each.name for each in TaskStatus], ("NOWHERE", None), 0.06)),
            **self._maybe(0.3, priority=self._priority()),
            **self._maybe(0.2, dueAt=self._one(_INSTANTS, _BAD_INSTANTS)),
            **self._maybe(0.2, assigneeId=self._one((self._user(), None), _BAD_IDS)),
            **self._maybe(0.2, labelIds=self._labels()),
        }

    def restore_task(self) -> Values:
        """One that was deleted, with or without its parent; or one that is there."""
        chosen = self._one(list(TRASH), ("todo", "in web", DELETED), 0.1)
        return {"id": self._one((global_id("Task", chosen),), _BAD_IDS)}

    def update_task(self) -> Values:
        """Any of a task's fields."""
        return {
            "id": self._task(),
            **self._maybe(0.5, title=self._one(_TITLES, _BAD_TITLES)),
            **self._maybe(0.5, description=self._one(_DESCRIPTIONS, _BAD_DESCRIPTIONS)),
            **self._maybe(0.4, priority=self._priority()),
            **self._maybe(0.4, dueAt=self._one(_INSTANTS, _BAD_INSTANTS)),
            **self._version(),
        }

    def update_task_status(self) -> Values:
        """Any move, often one that a closed task does not permit."""
        if self._chance.random() < 0.2:
            return {"id": global_id("Task", "cancelled"), "status": "DONE"}
        status = self._one([each.name for each in TaskStatus], ("NOWHERE", "todo", None), 0.05)
        return {"id": self._task(), "status": status} | self._version()

    def assign_task(self) -> Values:
        """To any user, to null, or absent."""
        assignee = self._one((self._user(), None), _BAD_IDS, 0.05)
        return {"id": self._task()} | self._maybe(0.85, assigneeId=assignee) | self._version()

    def set_task_labels(self) -> Values:
        """Labels of the project, of another one, or none."""
        chosen = self._one(list(IN_PROJECTS), list(TASKS), 0.3)
        return {"id": global_id("Task", chosen), "labelIds": self._labels()} | self._version()

    def _labels(self) -> Any:
        known = [global_id("Label", name) for name in LABELS]
        chosen = self._chance.sample(known, self._chance.randint(0, 2))
        return self._one((chosen,), ([global_id("Label", DELETED)], ["nonsense"], None), 0.1)

    def _label(self) -> Any:
        return self._one([global_id("Label", name) for name in LABELS], [*_BAD_IDS, global_id("Label", DELETED)])

    def create_label(self) -> Values:
        """With a new name, or one that is taken."""
        return {"projectId": self._project(), "name": self._label_name(), "color": self._color()}

    def update_label(self) -> Values:
        """The name, the color, or both."""
        name, color = self._maybe(0.6, name=self._label_name()), self._maybe(0.5, color=self._color())
        return {"id": self._label(), **name, **color, **self._version()}

    def delete_label(self) -> Values:
        """Any label."""
        return {"id": self._label()} | self._version()

    def _label_name(self) -> Any:
        return self._one(("New", "BUG", "Design"), ("", "x" * 41, None), 0.15)

    def _color(self) -> Any:
        return self._one(("#000000", "#FFaa00"), ("red", "", None), 0.1)

    def create_comment(self) -> Values:
        """On any task."""
        return {"taskId": self._task(), "text": self._one(("A comment", "💥"), ("", "x" * 10_001, None), 0.1)}

    def _comment(self) -> Any:
        own = [name for name, (_, author) in COMMENTS.items() if author == self._actor] or list(COMMENTS)
        chosen = self._one(own, list(COMMENTS), 0.3)
        return self._one([global_id("Comment", f"comment {chosen}")], [*_BAD_IDS, global_id("Comment", DELETED)])

    def update_comment(self) -> Values:
        """Own comments and those of others."""
        return {"id": self._comment(), "text": self._one(("Changed", " Changed "), ("", None), 0.1)} | self._version()

    def delete_comment(self) -> Values:
        """Own comments and those of others."""
        return {"id": self._comment()} | self._version()

    def delete_task(self) -> Values:
        """Any task."""
        return {"id": self._task()} | self._version()

    def _priority(self) -> Any:
        return self._one([each.name for each in TaskPriority], ("NONE", None), 0.08)

    def login(self) -> Values:
        """As any user, with the right or a wrong password."""
        return {
            "username": self._one([self._actor, "OWNER", "admin", "inactive"], ("nobody", "", None), 0.15),
            "password": self._one((PASSWORD,), (*_BAD_PASSWORDS, *NEW_PASSWORDS), 0.25),
            **self._maybe(0.7, returnRefreshToken=self._chance.random() < 0.7),
        }

    def refresh_token(self) -> Values:
        """The token of a session, current, just used, or used long ago; or the cookie's."""
        return self._maybe(0.8, refreshToken=self._one([self.token()], ("x.y", "", None), 0.2))

    def token(self) -> str:
        """A refresh token that exists."""
        tokens = self._situation.tokens[self._session()]
        return self._chance.choice((tokens.current, tokens.current, tokens.parent, tokens.stale))

    def _session(self) -> str:
        user = self._chance.choice((self._actor, self._actor, "admin", "outsider"))
        return session_name(user, self._chance.choice(DEVICES))

    def create_sign_in_code(self) -> Values:
        """For any program."""
        return {
            "codeChallenge": self._one((challenge_of(VERIFIER),), ("", "x" * 44, "é" * 43, None), 0.15),
            "port": self._one((PORT, 1), (0, 65_536, -1, None), 0.15),
            "clientName": self._one(("taskriver on a laptop", " x "), ("", "x" * 101, "nul \0 byte", None), 0.15),
        }

    def exchange_sign_in_code(self) -> Values:
        """A code of any user, with the right or a wrong secret."""
        user = self._chance.choice((self._actor or "owner", "admin", "outsider", "inactive"))
        return {
            "code": self._one((code_name(session_name(user, DEVICES[0])),), ("", "nonsense", None), 0.15),
            "codeVerifier": self._one((VERIFIER,), ("w" * 43, "", "é" * 43, None), 0.15),
            "port": self._one((PORT,), (1, None), 0.1),
        }

    def revoke_session(self) -> Values:
        """An own session, another user's, or none."""
        found = self._one((global_id("Session", self._session()),), (global_id("Session", "gone"),), 0.25)
        return {"sessionId": self._one((found,), _BAD_IDS)}

    def create_access_token(self) -> Values:
        """With scopes that the actor may give or not, and any end."""
        scopes = self._one((["TASKS_READ"], ["TASKS_WRITE", "ACCOUNT"], ["ADMIN"]), ([], ["ALL"], None), 0.15)
        ends = ("2000-01-01T00:00:00Z", *_BAD_INSTANTS)
        return {
            "name": self._one(_TITLES, ("", "x" * 101, None), 0.15),
            "scopes": scopes,
            **self._maybe(0.2, expiresAt=self._one((None,), ends, 0.5)),
        }

    def revoke_access_token(self) -> Values:
        """An own token, another user's, or none."""
        found = self._one(
            (global_id("AccessToken", f"token of {self._actor}"),), (global_id("AccessToken", "gone"),), 0.25
        )
        other = global_id("AccessToken", "token of outsider")
        return {"accessTokenId": self._one((found, found, other), _BAD_IDS)}

    def unlink_identity(self) -> Values:
        """An own account at a provider, another user's, or none."""
        found = self._one(
            (global_id("Identity", f"identity of {self._actor}"),), (global_id("Identity", "gone"),), 0.25
        )
        other = global_id("Identity", "identity of outsider")
        return {"identityId": self._one((found, found, other), _BAD_IDS)}

    def register(self) -> Values:
        """A new name, one that is taken, or one that is none."""
        name = self._one((*_NAMES, "owner", "ADMIN"), _BAD_NAMES, 0.2)
        email = self._one((f"{name}@example.org", "same@example.org"), ("Owner@example.org", "no address", None), 0.2)
        return {"username": name, "email": email, "password": self._one(NEW_PASSWORDS, _BAD_PASSWORDS, 0.2)}

    def change_password(self) -> Values:
        """With the right password or a wrong one."""
        return {
            "currentPassword": self._one((PASSWORD,), (*NEW_PASSWORDS, "", None), 0.25),
            "newPassword": self._one(NEW_PASSWORDS, _BAD_PASSWORDS, 0.2),
        }

    def set_user_role(self) -> Values:
        """Any user, also the actor."""
        role = self._one([each.name for each in Role], ("KING", None), 0.05)
        return {"userId": self._user_to_change(), "role": role}

    def set_user_active(self) -> Values:
        """Any user, also the actor."""
        return {"userId": self._user_to_change(), "isActive": self._one((True, False, False), (None, "yes"), 0.05)}

    def delete_user(self) -> Values:
        """A user who does not exist, or the actor with a wrong password: so the users of the case stay."""
        users = [global_id("User", "unknown"), *([global_id("User", self._actor)] if self._actor else [])]
        values = {"userId": self._one(users, _BAD_IDS), "currentPassword": "Wrong-horse1"}
        return values | {"deleteTasks": self._one((True, True, True, False), (None, "yes"), 0.05)}

    def _user_to_change(self) -> Any:
        name = self._chance.choice(("admin", "admin", "admin", "admin", "nobody", "nobody", "nobody", *ROLES))
        return self._one([global_id("User", name)], _BAD_IDS)

    def _project(self) -> Any:
        own = [name for name, members in PROJECTS.items() if self._actor in members] or list(PROJECTS)
        chosen = self._one(own, [*PROJECTS, DELETED], 0.3)
        return self._one([global_id("Project", chosen)], [*_BAD_IDS, global_id("Task", "todo")], 0.06)

    def _project_role(self) -> Any:
        return self._one([each.name for each in ProjectRole], ("BOSS", None), 0.05)

    def create_project(self) -> Values:
        """With a new key, or one that is taken."""
        return {
            "key": self._one(("NEW", "new2", "N3"), ("WEB", "before", "1A", "A", "", None), 0.3),
            "name": self._one(_TITLES, ("", "x" * 101, None)),
            **self._maybe(0.3, description=self._one(_DESCRIPTIONS, _BAD_DESCRIPTIONS)),
        }

    def update_project(self) -> Values:
        """Any of its fields."""
        return {
            "id": self._project(),
            **self._maybe(0.4, key=self._one(("NEW", "web", "BEFORE"), ("app", "A", None), 0.2)),
            **self._maybe(0.4, name=self._one(_TITLES, ("", None))),
            **self._maybe(0.3, description=self._one((*_DESCRIPTIONS, None), _BAD_DESCRIPTIONS)),
            **self._version(),
        }

    def archive_project(self) -> Values:
        """In both directions."""
        return (
            {"id": self._project()} | self._maybe(0.6, isArchived=self._one((True, False), (None,))) | self._version()
        )

    def delete_project(self) -> Values:
        """Any project, with its key or without."""
        confirmed = self._maybe(0.5, confirmKey=self._one(("WEB", "app", "OLD"), ("", None)))
        return {"id": self._project()} | self._version() | confirmed

    def add_member(self) -> Values:
        """Any user, also members."""
        return {"projectId": self._project(), "userId": self._user(), **self._maybe(0.6, role=self._project_role())}

    def set_member_role(self) -> Values:
        """Any user, also those who are not members."""
        return {"projectId": self._project(), "userId": self._member(), "role": self._project_role()}

    def remove_member(self) -> Values:
        """Any user, also the actor."""
        return {"projectId": self._project(), "userId": self._member()}

    def _member(self) -> Any:
        return self._chance.choice((self._user(), global_id("User", "owner")))

    def leave_project(self) -> Values:
        """Any project."""
        return {"projectId": self._project()}


_MAKERS: Final[Mapping[str, Callable[[Inputs], Values] | None]] = {
    "createTask": Inputs.create_task,
    "updateTask": Inputs.update_task,
    "updateTaskStatus": Inputs.update_task_status,
    "assignTask": Inputs.assign_task,
    "deleteTask": Inputs.delete_task,
    "setTaskLabels": Inputs.set_task_labels,
    "updateTasks": Inputs.update_tasks,
    "moveTask": Inputs.move_task,
    "setTaskParent": Inputs.set_task_parent,
    "restoreTask": Inputs.restore_task,
    "createLabel": Inputs.create_label,
    "updateLabel": Inputs.update_label,
    "deleteLabel": Inputs.delete_label,
    "createComment": Inputs.create_comment,
    "updateComment": Inputs.update_comment,
    "deleteComment": Inputs.delete_comment,
    "login": Inputs.login,
    "createSignInCode": Inputs.create_sign_in_code,
    "exchangeSignInCode": Inputs.exchange_sign_in_code,
    "refreshToken": Inputs.refresh_token,
    "logout": None,
    "logoutAll": None,
    "revokeSession": Inputs.revoke_session,
    "createAccessToken": Inputs.create_access_token,
    "revokeAccessToken": Inputs.revoke_access_token,
    "unlinkIdentity": Inputs.unlink_identity,
    "register": Inputs.register,
    "changePassword": Inputs.change_password,
    "setUserRole": Inputs.set_user_role,
    "setUserActive": Inputs.set_user_active,
    "deleteUser": Inputs.delete_user,
    "createProject": Inputs.create_project,
    "updateProject": Inputs.update_project,
    "archiveProject": Inputs.archive_project,
    "deleteProject": Inputs.delete_project,
    "addMember": Inputs.add_member,
    "setMemberRole": Inputs.set_member_role,
    "removeMember": Inputs.remove_member,
    "leaveProject": Inputs.leave_project,
}
FIELDS: Final = tuple(_MAKERS)
