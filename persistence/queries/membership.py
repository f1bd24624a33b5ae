"""Queries for the members of projects."""

from typing import Final

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
