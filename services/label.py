"""Operations on the labels of projects: one function, one transaction. Each locks the project."""

from collections.abc import Mapping
from uuid import UUID

from domain.errors import AlreadyExists, NotFound
from domain.events import ProjectChange
from domain.label import check_color, check_label_count, check_name, folded
from domain.policy import Action
from domain.task import ExpectedVersion, check_version
from persistence.errors import Duplicate
from persistence.models import LabelRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.unit_of_work import UnitOfWork
from services.idempotency import find_earlier_result
from services.project import lock_project
from services.project_event import label_changed
from services.unset import UNSET, UnsetType

_PROJECT_PATH = ("projectId",)


async def create_label(uow: UnitOfWork, *, project_id: UUID, name: str, color: str) -> LabelRow:
    """Add a label to a project.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may not manage its labels, or it is archived.
        Invalid: a value breaks a limit, or the project has too many labels.
        AlreadyExists: the project has a label with this name, ignoring case.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    values: dict[str, object] = {"name": check_name(name), "color": check_color(color)}
    label = new_row(
        LabelRow,
        id=new_id(),
        project_id=project_id,
        folded_name=folded(str(values["name"])),
        version=1,
        created_at=uow.now,
        updated_at=uow.now,
        **values,
    )
    async with uow:
        earlier = await find_earlier_result(uow, "create_label", label.id, {"project_id": project_id, **values})
        if earlier is not None:
            return await _as_it_is_now(uow, earlier)
        await lock_project(uow, project_id, Action.MANAGE_LABELS, path=_PROJECT_PATH)
        check_label_count(await uow.labels.count(project_id))
        uow.labels.add(label)
        uow.record(label_changed(uow, label, ProjectChange.LABEL_CREATED))
        await _commit(uow, label)
    return label


async def update_label(
    uow: UnitOfWork,
    *,
    label_id: UUID,
    name: str | UnsetType = UNSET,
    color: str | UnsetType = UNSET,
    expected_version: ExpectedVersion = None,
) -> LabelRow:
    """Change the name or the color of a label. Setting the current values changes nothing.

    Raises:
        NotFound: the actor sees no such label.
        Forbidden: the actor may not manage the labels of the project, or it is archived.
        Invalid: a value breaks a limit.
        AlreadyExists: another label of the project has this name, ignoring case.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    values = _checked(name, color)
    async with uow:
        request = {"label_id": label_id, "expected_version": expected_version, **values}
        if await find_earlier_result(uow, "update_label", label_id, request):
            return await _as_it_is_now(uow, label_id)
        label = await _lock(uow, label_id, expected_version)
        changed = {field: value for field, value in values.items() if getattr(label, field) != value}
        if changed:
            uow.revise(label, **changed)
            uow.record(label_changed(uow, label, ProjectChange.LABEL_UPDATED))
        await _commit(uow, label)
    return label


async def delete_label(uow: UnitOfWork, *, label_id: UUID, expected_version: ExpectedVersion = None) -> UUID:
    """Delete a label; returns its id. Tasks lose it without a new version.

    Raises:
        NotFound: the actor sees no such label.
        Forbidden: the actor may not manage the labels of the project, or it is archived.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    async with uow:
        request: dict[str, object] = {"label_id": label_id, "expected_version": expected_version}
        if await find_earlier_result(uow, "delete_label", label_id, request):
            return label_id
        label = await _lock(uow, label_id, expected_version)
        label.version += 1
        uow.labels.remove(label)
        uow.record(label_changed(uow, label, ProjectChange.LABEL_DELETED))
        await uow.commit()
    return label_id


def _checked(name: str | UnsetType, color: str | UnsetType) -> Mapping[str, object]:
    """The given values as they are stored."""
    values: dict[str, object] = {}
    if name is not UNSET:
        values["name"] = check_name(name)
        values["folded_name"] = folded(check_name(name))
    if color is not UNSET:
        values["color"] = check_color(color)
    return values


async def _lock(uow: UnitOfWork, label_id: UUID, expected_version: ExpectedVersion) -> LabelRow:
    """The label, locked with its project, if the actor may change it."""
    project_id = (await uow.labels.get(label_id)).project_id
    locked = await lock_project(uow, project_id, Action.MANAGE_LABELS, uow.labels.lock_of(label_id))
    label: LabelRow = uow.labels.existing(locked.others[0])
    check_version(label.version, expected_version, what="label")
    return label


async def _commit(uow: UnitOfWork, label: LabelRow) -> None:
    try:
        await uow.commit()
    except Duplicate as duplicate:
        raise AlreadyExists(f"The project has a label named {label.name} already.", path=("name",)) from duplicate


async def _as_it_is_now(uow: UnitOfWork, label_id: UUID) -> LabelRow:
    """The label of a request that was carried out before; it may have changed since."""
    label = await uow.labels.find(label_id)
    if label is None:
        raise NotFound("This was done already; since then the label was deleted, or you may not see it any more.")
    return label
