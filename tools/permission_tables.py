"""Prints the tables of docs/permissions.md, which are derived from the policy.

make permissions
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from domain.access_token import Scope, effective
from domain.actor import Actor
from domain.policy import IN_ARCHIVED_PROJECTS, IN_PROJECT, POLICY, SCOPES, Action, Reach, may_project, reach
from domain.project import ProjectRole
from domain.user import Role
from persistence.models.base import new_id

PAGE: Final = Path(__file__).parent.parent / "docs" / "permissions.md"
_ALL_REACHES: Final = frozenset().union(*IN_PROJECT.values())
_IN_PROJECTS: Final = _ALL_REACHES | {Reach.AUTHOR}
_PROJECT_ACTIONS: Final = [action for action in Action if reach(Role.USER, action) & _IN_PROJECTS]
_OTHER_ACTIONS: Final = [
    action for action in Action if action not in _PROJECT_ACTIONS or reach(Role.USER, action) - _ALL_REACHES
]
"""Of these, actions on tasks are those on personal tasks."""
_OF_NO_ROW: Final = frozenset({Action.CREATE_PROJECT, Action.LIST_USERS, Action.READ_AUDIT})
"""Actions that are permitted or not, without a row that decides."""
_OF_COMMENTS: Final = frozenset({Action.UPDATE_COMMENT, Action.DELETE_COMMENT})
_AUTHOR: Final = "written by you"
_WORDS: Final = {Reach.OWN: "own", Reach.ASSIGNED: "assigned to you", Reach.AUTHOR: _AUTHOR, Reach.ANY: "all"}


def tables() -> dict[str, str]:
    """The tables by the names of their places in the page."""
    return {"roles": _roles(), "projects": _projects(), "scopes": _scopes()}


def page(text: str) -> str:
    """The page with the current tables."""
    for name, table in tables().items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n{table}\n\n{end}{after}"
    return text


def _roles() -> str:
    rows = [[_sentence(action), *(_cell(role, action) for role in Role)] for action in _OTHER_ACTIONS]
    return _table(["", *(f"`{role.name}`" for role in Role)], rows)


def _cell(role: Role, action: Action) -> str:
    reaches = POLICY[role].get(action, frozenset())
    if action in _OF_NO_ROW:
        return _yes(bool(reaches))
    if action in _OF_COMMENTS and Reach.OWN in reaches:
        return f"on own tasks, or {_AUTHOR}"
    return " or ".join(word for each, word in _WORDS.items() if each in reaches) or "–"


def _projects() -> str:
    user, moderator = (Actor(new_id(), role, None, 0) for role in (Role.USER, Role.MODERATOR))
    rows = [
        [
            _sentence(action),
            *(_in_project(user, action, role) for role in ProjectRole),
            _in_project(moderator, action, None),
            _yes(Reach.ANY in reach(Role.ADMIN, action)),
            _yes(action in IN_ARCHIVED_PROJECTS),
        ]
        for action in _PROJECT_ACTIONS
    ]
    heads = ["", *(f"`{role.name}`" for role in ProjectRole), "`MODERATOR`", "`ADMIN`", "also if it is archived"]
    return _table(heads, rows)


def _in_project(actor: Actor, action: Action, role: ProjectRole | None) -> str:
    if not may_project(actor, action, role) and Reach.AUTHOR in reach(actor.role, action):
        return _AUTHOR
    return _yes(may_project(actor, action, role))


def _scopes() -> str:
    """Each action, and whether a token with only this scope may do it."""
    rows = [
        [_sentence(action), *(_yes(not effective([scope.value]).isdisjoint(SCOPES[action])) for scope in Scope)]
        for action in Action
    ]
    return _table(["", *(f"`{scope.value}`" for scope in Scope)], rows)


def _sentence(action: Action) -> str:
    return f"{action.value[0].upper()}{action.value[1:]}"


def _yes(allowed: bool) -> str:
    return "yes" if allowed else "–"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
