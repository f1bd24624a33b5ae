"""Pairs of mutations that are sent at the same time and touch the same rows."""

import random
from dataclasses import dataclass
from typing import Any, Final

from graphql_api.execution.request import OperationRequest
from tests.graphql_api.compiler.oracle.inputs import NEW_PASSWORDS
from tests.graphql_api.compiler.oracle.mutations import Call, Case, Sending
from tests.graphql_api.compiler.oracle.situation import PASSWORD, Situation, global_id, session_name

_ERRORS: Final = "userErrors { code path message }"
# Without the parent: it is read after the change, and the other mutation may have deleted it by then.
_TASK: Final = (
    "task { id title description status priority version assignee { id } viewerCanDelete key rank"
    " subtaskCount doneSubtaskCount }"
)
_USER: Final = "user { id username role isActive email }"
_RESULTS: Final = {
    "deleteTask": "deletedTaskId",
    "revokeSession": "revokedSessionId",
    "refreshToken": "refreshToken",
    "login": "refreshToken",
    "logoutAll": "__typename",
    "changePassword": _USER,
    "register": _USER,
    "setUserRole": _USER,
    "setUserActive": _USER,
}
OTHER_WORDS: Final = {
    b"The password was changed in the meantime; use the new one.": b"The current password is wrong.",
}
"""Messages that only a race has, and those of an order; code and path are the same."""
STATUSES: Final = ("TODO", "IN_PROGRESS", "DONE", "CANCELLED")


@dataclass(frozen=True)
class Side:
    """One of the two mutations: its sender, and its idempotency key, if any."""

    actor: str | None
    name: str
    input: dict[str, Any] | None
    key: str | None = None

    def case(self, seed: int) -> Case:
        """It, as a case of one request."""
        kind = f"{self.name[0].upper()}{self.name[1:]}Input"
        head, argument = (f"($input: {kind}!)", "(input: $input)") if self.input is not None else ("", "")
        query = f"mutation {head} {{ m: {self.name}{argument} {{ {_RESULTS.get(self.name, _TASK)} {_ERRORS} }} }}"
        variables = {"input": self.input} if self.input is not None else {}
        extensions = {"idempotencyKey": self.key} if self.key is not None else {}
        request = OperationRequest(query, None, variables, extensions)
        return Case(seed, self.actor, "http", [Sending(request, [Call("m", self.name, self.input)])])


class Races:
    """Makes the pair of a seed."""

    def __init__(self, situation: Situation, seed: int) -> None:
        self._situation = situation
        self._chance = random.Random(f"race {seed}")
        self._seed = seed

    def pair(self) -> tuple[Case, Case]:
        """The two; every kind of pair comes in turn, and either side first."""
        sides = list(_PAIRS[self._seed % len(_PAIRS)](self))
        self._chance.shuffle(sides)
        return sides[0].case(self._seed), sides[1].case(self._seed)

    def _task(self) -> str:
        return global_id("Task", self._chance.choice(("todo", "in progress", "done", "cancelled")))

    def _version(self) -> dict[str, Any]:
        return {"expectedVersion": self._chance.choice((1, 2))} if self._chance.random() < 0.4 else {}

    def _move(self, task: str) -> Side:
        values = {"id": task, "status": self._chance.choice(STATUSES)} | self._version()
        return Side(self._chance.choice(("owner", "admin")), "updateTaskStatus", values)

    def _edit(self, task: str) -> Side:
        edit = self._chance.choice(({"title": "Another"}, {"description": None}, {"priority": "URGENT"}))
        return Side(self._chance.choice(("owner", "admin")), "updateTask", {"id": task} | edit | self._version())

    def _assign(self, task: str) -> Side:
        a_user = self._chance.choice((None, global_id("User", "outsider"), global_id("User", "moderator")))
        return Side("owner", "assignTask", {"id": task, "assigneeId": a_user} | self._version())

    def _delete(self, task: str) -> Side:
        return Side(self._chance.choice(("owner", "moderator", "admin")), "deleteTask", {"id": task} | self._version())

    def two_moves(self) -> tuple[Side, Side]:
        """Of one task."""
        task = self._task()
        return self._move(task), self._move(task)

    def move_and_delete(self) -> tuple[Side, Side]:
        """Of one task."""
        task = self._task()
        return self._move(task), self._delete(task)

    def two_deletions(self) -> tuple[Side, Side]:
        """Of one task."""
        task = self._task()
        return self._delete(task), self._delete(task)

    def edit_and_assign(self) -> tuple[Side, Side]:
        """Of one task."""
        task = self._task()
        return self._edit(task), self._assign(task)

    def edit_and_move(self) -> tuple[Side, Side]:
        """Of one task."""
        task = self._task()
        return self._edit(task), self._move(task)

    def one_key_twice(self) -> tuple[Side, Side]:
        """The same request, or another one, under one key."""
        titles = self._chance.choice((("One", "One"), ("One", "Two")))
        first, second = (Side("owner", "createTask", {"title": title}, "key-1") for title in titles)
        return first, second

    def one_id_twice(self) -> tuple[Side, Side]:
        """The same new task or another one, by one user or by two."""
        actors = self._chance.choice((("owner", "owner"), ("owner", "outsider")))
        titles = self._chance.choice((("One", "One"), ("One", "Two")))
        task = {"id": global_id("Task", "a chosen one"), "projectId": global_id("Project", "web")}
        first, second = (
            Side(actor, "createTask", task | {"title": title}) for actor, title in zip(actors, titles, strict=True)
        )
        return first, second

    def _place(self) -> Side:
        moved, beside = self._chance.sample(("in web", "parent", "open subtask", "subtask"), 2)
        side = {self._chance.choice(("after", "before")): global_id("Task", beside)}
        status = {"status": self._chance.choice(STATUSES)} if self._chance.random() < 0.3 else {}
        values = {"id": global_id("Task", moved)} | side | status | self._version()
        return Side(self._chance.choice(("owner", "outsider")), "moveTask", values)

    def two_places(self) -> tuple[Side, Side]:
        """In the order of one project."""
        return self._place(), self._place()

    def _parent(self) -> Side:
        task = global_id("Task", self._chance.choice(("in web", "subtask", "open subtask")))
        parent = self._chance.choice((global_id("Task", "parent"), None))
        return Side("outsider", "setTaskParent", {"id": task, "parentId": parent})

    def parent_and_deletion(self) -> tuple[Side, Side]:
        """Of the parent, or of the subtask."""
        name = self._chance.choice(("parent", "in web", "open subtask"))
        return self._parent(), Side("owner", "deleteTask", {"id": global_id("Task", name)})

    def subtasks_and_project(self) -> tuple[Side, Side]:
        """A task goes to another project while its subtasks change."""
        values = {"id": global_id("Task", "parent"), "projectId": global_id("Project", "app")}
        subtask = {"id": global_id("Task", self._chance.choice(("subtask", "open subtask")))}
        status = Side("owner", "updateTaskStatus", subtask | {"status": self._chance.choice(STATUSES)})
        other = self._chance.choice((status, self._parent(), Side("owner", "deleteTask", subtask)))
        return Side("owner", "moveTask", values), other

    def _restore(self, name: str) -> Side:
        return Side(self._chance.choice(("owner", "admin")), "restoreTask", {"id": global_id("Task", name)})

    def restoration_and_deletion(self) -> tuple[Side, Side]:
        """One task is restored twice, or a subtask while its parent is deleted."""
        if self._chance.random() < 0.5:
            return self._restore("thrown away"), self._restore("thrown away")
        deletion = Side("owner", "deleteTask", {"id": global_id("Task", "parent")})
        return self._restore("subtask thrown away"), deletion

    def two_roles(self) -> tuple[Side, Side]:
        """For one user, or by two admins for each other."""
        if self._chance.random() < 0.5:
            return self._role("admin", "outsider"), self._role("deputy", "outsider")
        return self._role("admin", "deputy"), self._role("deputy", "admin")

    def _role(self, actor: str, user: str) -> Side:
        role = self._chance.choice(("USER", "MODERATOR", "ADMIN"))
        return Side(actor, "setUserRole", {"userId": global_id("User", user), "role": role})

    def role_and_active(self) -> tuple[Side, Side]:
        """Of one user."""
        user = self._chance.choice(("admin", "deputy", "outsider"))
        active = {"userId": global_id("User", user), "isActive": self._chance.random() < 0.5}
        return self._role("admin", user), Side("deputy", "setUserActive", active)

    def _refresh(self, session: str) -> Side:
        tokens = self._situation.tokens[session]
        token = self._chance.choice((tokens.current, tokens.current, tokens.parent))
        return Side(None, "refreshToken", {"refreshToken": token})

    def two_refreshes(self) -> tuple[Side, Side]:
        """Of one session."""
        session = session_name("owner", "laptop")
        return self._refresh(session), self._refresh(session)

    def revoke_and_refresh(self) -> tuple[Side, Side]:
        """Of one session."""
        name = session_name("owner", "laptop")
        return Side("owner", "revokeSession", {"sessionId": global_id("Session", name)}), self._refresh(name)

    def sign_out_and_refresh(self) -> tuple[Side, Side]:
        """Everywhere, and on one of these devices."""
        return Side("owner", "logoutAll", None), self._refresh(session_name("owner", "laptop"))

    def two_passwords(self) -> tuple[Side, Side]:
        """Two new ones for one user."""
        values = ({"currentPassword": PASSWORD, "newPassword": password} for password in NEW_PASSWORDS)
        first, second = (Side("owner", "changePassword", each) for each in values)
        return first, second

    def cut_off_and_sign_in(self) -> tuple[Side, Side]:
        """Of one user."""
        active = {"userId": global_id("User", "owner"), "isActive": False}
        values = {"username": "owner", "password": PASSWORD, "returnRefreshToken": True}
        return Side("admin", "setUserActive", active), Side(None, "login", values)

    def two_registrations(self) -> tuple[Side, Side]:
        """Under one name, or with one e-mail address."""
        names = self._chance.choice((("newcomer", "newcomer"), ("newcomer", "another")))
        first, second = (
            {"username": name, "email": f"{email}@example.org", "password": NEW_PASSWORDS[0]}
            for name, email in zip(names, ("one", names[0] if names[0] == names[1] else "one"), strict=True)
        )
        return Side(None, "register", first), Side(None, "register", second)


_PAIRS: Final = (
    Races.two_moves,
    Races.one_id_twice,
    Races.two_places,
    Races.parent_and_deletion,
    Races.subtasks_and_project,
    Races.restoration_and_deletion,
    Races.move_and_delete,
    Races.two_deletions,
    Races.edit_and_assign,
    Races.edit_and_move,
    Races.one_key_twice,
    Races.two_roles,
    Races.role_and_active,
    Races.two_refreshes,
    Races.revoke_and_refresh,
    Races.sign_out_and_refresh,
    Races.two_passwords,
    Races.cut_off_and_sign_in,
    Races.two_registrations,
)
