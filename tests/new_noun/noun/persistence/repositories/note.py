"""The repository of notes."""

from persistence.models import NoteRow
from persistence.queries.note import NOTES
from persistence.repositories.rows import RowRepository


class NoteRepository(RowRepository[NoteRow]):
    """The notes on tasks that one actor may see."""

    model, name, by_id = NoteRow, "Note", staticmethod(NOTES.by_id)
