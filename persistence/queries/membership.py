"""Queries for the members of projects."""

from typing import Any, Final

from sqlalchemy import ColumnElement, String, cast, func, select

from persistence.models import MembershipRow
from persistence.queries.child_list import ChildList, number_in
from persistence.queries.joins import References, user_in
from persistence.queries.project_visibility import PROJECT

REFERENCES_OF_A_MEMBERSHIP: Final[References] = {"user": user_in("user_id")}

MEMBERS: Final = ChildList(
    order="project.members",
    parent_id=MembershipRow.project_id,
    place=MembershipRow.number,
    columns=dict(MembershipRow.__table__.c),
    read_place=number_in,
    references=REFERENCES_OF_A_MEMBERSHIP,
    parent=PROJECT,
)
"""The members of a project, in the order in which they were added."""


def roles_of_user(row: type[Any]) -> ColumnElement[Any]:
    """The roles in projects of the user of each *row*, as an array.

    Each role is a text: the id of the project, a space, and the name of the role.
    """
    role = cast(MembershipRow.project_id, String()) + " " + cast(MembershipRow.role, String())
    roles = select(role).where(MembershipRow.user_id == row.user_id).correlate(row)
    return func.array(roles.scalar_subquery()).label("roles")
