"""Use cases of notes: one function, one transaction."""

from uuid import UUID

from domain import policy
from domain.note import NoteEvent, check_note
from domain.policy import Action
from domain.task import ExpectedVersion, check_version
from persistence.models import NoteRow
from persistence.models.base import new_id
from persistence.unit_of_work import UnitOfWork
from services.idempotency import find_earlier_result
from services.task_access import TaskAccess, write_to_task
from services.task_event import scope_of


async def create_note(uow: UnitOfWork, *, task_id: UUID, text: str) -> NoteRow:
    """Write a note on a task.

    Raises:
        Invalid: the text breaks a limit.
        NotFound: the actor sees no such task.
        IdempotencyMismatch: the key was used for another request.
    """
    note = NoteRow(
        id=new_id(),
        task_id=task_id,
        author_id=uow.actor.user_id,
        text=check_note(text),
        version=1,
        created_at=uow.now,
        updated_at=uow.now,
    )
    async with uow:
        if earlier := await find_earlier_result(uow, "create_note", note.id, {"task_id": task_id, "text": note.text}):
            return await uow.notes.get(earlier)

        def decide(access: TaskAccess) -> NoteRow:
            access.require(Action.CREATE_NOTE, path=("taskId",))
            uow.notes.add(note)
            uow.record(_event(access, note))
            return note

        return await write_to_task(uow, task_id, decide, path=("taskId",))


async def update_note(
    uow: UnitOfWork, *, note_id: UUID, text: str, expected_version: ExpectedVersion = None
) -> NoteRow:
    """Change the text of a note; the current text changes nothing and records no event.

    Raises:
        Invalid: the text breaks a limit.
        NotFound: the actor sees no such note.
        Forbidden: the actor may see the note but not change it.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key was used for another request.
    """
    checked = check_note(text)
    request = {"note_id": note_id, "text": checked, "expected_version": expected_version}
    async with uow:
        if await find_earlier_result(uow, "update_note", note_id, request):
            return await uow.notes.get(note_id)
        task_id = (await uow.notes.get(note_id)).task_id

        def decide(access: TaskAccess, found: NoteRow | None) -> NoteRow:
            access.require(Action.READ_TASK)
            note = uow.notes.existing(found)
            policy.require_user(uow.actor, Action.UPDATE_NOTE, note.author_id, path=("id",))
            check_version(note.version, expected_version, what="note")
            if note.text != checked:
                uow.revise(note, text=checked)
                uow.record(_event(access, note))
            return note

        return await write_to_task(uow, task_id, decide, locks=lambda _: [uow.notes.lock_of(note_id)])


def _event(access: TaskAccess, note: NoteRow) -> NoteEvent:
    return NoteEvent(**scope_of(access.uow, access.task), version=note.version, at=note.updated_at, note_id=note.id)
