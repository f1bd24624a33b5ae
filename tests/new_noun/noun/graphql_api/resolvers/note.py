"""Notes: queries, mutations and the subscription."""

import strawberry

from domain.actor import Actor
from domain.note import NoteEvent
from graphql_api.auth.permissions import TASKS_READ, TASKS_WRITE
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query, subscription
from graphql_api.resolvers.stream import After, Filter, Source, item_of, listen, wanted_of
from graphql_api.schema.common import Id
from graphql_api.schema.ids import decode_id_of
from graphql_api.schema.note import CreateNoteInput, CreateNotePayload, Note, UpdateNoteInput, UpdateNotePayload
from graphql_api.schema.note_stream import NoteChanged
from graphql_api.schema.resolves_to import One
from persistence.queries.note import NOTES
from persistence.queries.query import Query
from services import note as note_service


def _note(actor: Actor, id: Id) -> Query:
    return NOTES.by_id(actor, decode_id_of("Note", id, field="id"))


@strawberry.type
class NoteQueries:
    """Fields of Query."""

    note = query(TASKS_READ, "A note by its id, or null.", One(Note, _note, nullable=True))


@strawberry.type
class NoteMutations:
    """Fields of Mutation."""

    @mutation(TASKS_WRITE, "Write a note on a task that you may see.")
    async def create_note(self, field: FieldContext, input: CreateNoteInput) -> CreateNotePayload | None:
        """One service call."""
        task_id = decode_id_of("Task", input.task_id, field="taskId")
        row = await note_service.create_note(field.idempotent_unit_of_work(), task_id=task_id, text=input.text)
        return CreateNotePayload(note=Note.of(row))

    @mutation(TASKS_WRITE, "Change the text of a note that you wrote. Admins: every note.")
    async def update_note(self, field: FieldContext, input: UpdateNoteInput) -> UpdateNotePayload | None:
        """One service call."""
        row = await note_service.update_note(
            field.idempotent_unit_of_work(),
            note_id=decode_id_of("Note", input.id, field="id"),
            text=input.text,
            expected_version=input.expected_version,
        )
        return UpdateNotePayload(note=Note.of(row))


@strawberry.type
class NoteSubscriptions:
    """Fields of Subscription."""

    @subscription(TASKS_READ, "Receive new and changed notes on tasks, live.")
    async def note_changed(self, field: FieldContext, filter: Filter = None, after: After = None) -> Source:
        """New and changed notes."""
        return listen(field.context, wanted_of(filter), after, item_of(NoteChanged), events=frozenset({NoteEvent}))
