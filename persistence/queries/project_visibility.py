"""Which projects an actor may read, as a condition in SQL: the reaches of the policy."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Uuid,
    bindparam,
    false,
    func,
    literal_column,
    select,
    true,
)

from domain.policy import IN_PROJECT, Action, Reach
from persistence.models import MembershipRow, ProjectRow
from persistence.queries.page_facts import head_columns
from persistence.queries.parent import Parent, Reaches

_ACTOR: Final[BindParameter[UUID]] = bindparam("actor_id", type_=Uuid())
_TOKEN_PROJECT: Final[BindParameter[UUID]] = bindparam("token_project_id", type_=Uuid())
_PROJECTS: Final[FromClause] = ProjectRow.__table__
_MEMBERSHIPS: Final[FromClause] = MembershipRow.__table__
_ALL: Final = frozenset({Reach.ANY})


def visible_projects(reaches: Reaches, name: str = "visible") -> FromClause:
    """The projects that the actor may read, with the columns of `VisibleProjectRow`. The parameter is `actor_id`."""
    own = (_MEMBERSHIPS.c.project_id == _PROJECTS.c.id) & _is_own(_MEMBERSHIPS, reaches)
    if Reach.ANY not in reaches:
        own &= _has_role(_MEMBERSHIPS.c.role, reaches)
    rows = _PROJECTS.join(_MEMBERSHIPS, own, isouter=Reach.ANY in reaches)
    query = select(*_PROJECTS.c, _MEMBERSHIPS.c.role.label("viewer_role"), *head_columns()).select_from(rows)
    return query.subquery(name)


def any_project(name: str) -> FromClause:
    """All projects, with the role of the actor. They are for rows of projects that the actor may read."""
    return visible_projects(_ALL, name)


def projects_of_member(reaches: Reaches) -> ColumnElement[Any]:
    """The ids of the projects of which the actor is a member with one of these reaches, as an array.

    Not of projects that the actor may read without being a member. The parameter is `actor_id`.
    """
    mine = _is_own(_MEMBERSHIPS, reaches) & _has_role(_MEMBERSHIPS.c.role, reaches)
    found: ColumnElement[Any] = func.array(select(_MEMBERSHIPS.c.project_id).where(mine).scalar_subquery())
    return found


def belongs_to_visible_project(project_id: Any, reaches: Reaches) -> ColumnElement[bool]:
    """The condition for rows that belong to a project that the actor may read; *project_id* is their column."""
    if Reach.ANY in reaches:
        return true()
    own = _MEMBERSHIPS.alias("own")  # the rows may be memberships, too
    is_mine = _is_own(own, reaches) & (own.c.project_id == project_id) & _has_role(own.c.role, reaches)
    return select(own.c.id).where(is_mine).exists()


def members_of_visible_project(reaches: Reaches) -> Select[Any]:
    """The ids of the members of a project that the actor may read. The parameters are `project_id` and `actor_id`."""
    of_project = _MEMBERSHIPS.c.project_id == bindparam("project_id", type_=Uuid())
    is_visible = belongs_to_visible_project(_MEMBERSHIPS.c.project_id, reaches)
    return select(_MEMBERSHIPS.c.user_id).where(of_project, is_visible)


def shares_project(user_id: Any, reaches: Reaches) -> ColumnElement[bool]:
    """The condition for the actor, and for users who share a project with the actor. The parameter is `actor_id`."""
    own, other = _MEMBERSHIPS.alias("own"), _MEMBERSHIPS.alias("other")
    both = own.join(other, other.c.project_id == own.c.project_id)
    shared = select(other.c.id).select_from(both).where(_is_own(own, reaches), other.c.user_id == user_id)
    is_known: ColumnElement[bool] = (user_id == _ACTOR) | shared.exists()
    return is_known


def _is_own(memberships: FromClause, reaches: Reaches) -> ColumnElement[bool]:
    """The condition for the actor's memberships; for a token for one project, its membership there.

    Such a token has the further parameter `token_project_id`.
    """
    own: ColumnElement[bool] = memberships.c.user_id == _ACTOR
    return own & (memberships.c.project_id == _TOKEN_PROJECT) if Reach.ONE_PROJECT in reaches else own


def _has_role(role: ColumnElement[Any], reaches: Reaches) -> ColumnElement[bool]:
    """The condition for roles whose members have one of these reaches, which are constants of the statement."""
    roles: list[ColumnElement[str]] = [
        literal_column(f"'{each.name}'") for each, own in IN_PROJECT.items() if not own.isdisjoint(reaches)
    ]
    return role.in_(roles) if roles else false()  # SQLAlchemy leaves a placeholder for an empty list


PROJECT: Final = Parent(Action.READ_PROJECT, belongs_to_visible_project)
"""Projects, as the parents of rows."""
