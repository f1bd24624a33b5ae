"""The labels that the lines of an import name. Those of a project are read once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

from domain.actor import Actor
from domain.errors import Forbidden, Invalid
from domain.label import check_label_count, folded
from persistence.database import Database
from services.import_export import labels_of, may_manage_labels
from services.label import create_label

NEW_COLOR: Final = "#6e7781"
"""The color of labels that an import creates."""


@dataclass(slots=True)
class LabelLookups:
    """Looks up labels by name, and creates those that are missing."""

    database: Database
    _labels: dict[UUID, dict[str, UUID]] = field(default_factory=dict)

    async def of_names(
        self, project_id: UUID, names: Sequence[str], owner: Actor, *, creates: bool
    ) -> tuple[UUID, ...]:
        """The ids of the labels of a project with these names, ignoring case.

        Missing ones are created by the owner of the task, who must be permitted to do so. Unless it *creates*, nothing
        is created, and a missing label gets an id that no label has.

        Raises:
            Invalid: a label is missing, and the owner may not create it, or the project has too many.
        """
        known = self._labels.get(project_id)
        if known is None:
            known = self._labels[project_id] = await labels_of(self.database.unit_of_work(owner), project_id=project_id)
        found = []
        for name in names:
            label_id = known.get(folded(name))
            if label_id is None:
                label_id = await self._new(project_id, name, owner, creates=creates)
                known[folded(name)] = label_id
            found.append(label_id)
        return tuple(sorted(set(found)))

    async def _new(self, project_id: UUID, name: str, owner: Actor, *, creates: bool) -> UUID:
        """The id of the new label."""
        uow = self.database.unit_of_work(owner)
        if not await may_manage_labels(uow, project_id=project_id):
            raise Invalid(
                f"the project has no label {name!a}, and the owner of the task may not create it: ask a manager, or "
                "use --ignore labels.",
                path=("labels",),
            )
        if not creates:
            check_label_count(len(self._labels[project_id]))
            return uuid4()
        try:
            return (await create_label(uow, project_id=project_id, name=name, color=NEW_COLOR)).id
        except Forbidden as forbidden:
            raise Invalid(forbidden.message, path=("labels",)) from forbidden
