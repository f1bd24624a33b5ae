"""Queries for labels."""

from typing import Final

from sqlalchemy import any_

from domain.text import is_storable
from persistence.models import LabelRow, TaskRow
from persistence.queries.child_list import ChildList
from persistence.queries.project_visibility import PROJECT

_COLUMNS: Final = dict(LabelRow.__table__.c)


def _folded_name_in(text: str) -> str:
    if not text or not is_storable(text):
        raise ValueError(text)
    return text


LABELS: Final = ChildList(
    order="labels",
    parent_id=LabelRow.project_id,
    place=LabelRow.folded_name,
    columns=_COLUMNS,
    references={},
    read_place=_folded_name_in,
    parent=PROJECT,
)
"""The labels of a project, by name."""

TASK_LABELS: Final = ChildList(
    order="labels",
    parent_id=TaskRow.id,
    place=LabelRow.folded_name,
    columns=_COLUMNS,
    references={},
    read_place=_folded_name_in,
    conditions=(LabelRow.id == any_(TaskRow.label_ids),),
)
"""The labels of a task, by name. An id of a deleted label in `label_ids` finds none."""
