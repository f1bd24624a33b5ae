"""The lines of existing files that a new noun changes, as CONTRIBUTING.md describes them."""

from pathlib import Path
from typing import Final, NamedTuple


class Registration(NamedTuple):
    """Replaces a text that occurs once in a file."""

    path: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        """Make the change in a copy of the repository."""
        file = root / self.path
        text = file.read_text()
        assert text.count(self.old) == 1, (
            f"{self.path} does not contain {self.old!r} exactly once: correct this registration, "
            "and the walk-through in CONTRIBUTING.md if a step has changed."
        )
        file.write_text(text.replace(self.old, self.new))


def after(path: str, line: str, *added: str) -> Registration:
    """Lines that follow an existing line."""
    return Registration(path, f"{line}\n", "\n".join((line, *added)) + "\n")


REGISTRATIONS: Final = (
    after("domain/events.py", '    ACCESS = "ACCESS"', '    NOTE = "NOTE"'),
    after("domain/event_parsing.py", "    TaskScopedEvent,\n)", "from domain.note import NoteEvent"),
    Registration(
        "domain/event_parsing.py",
        "EVENTS_OF_NOUNS: Final[tuple[type[TaskScopedEvent], ...]] = (CommentEvent,)",
        "EVENTS_OF_NOUNS: Final[tuple[type[TaskScopedEvent], ...]] = (CommentEvent, NoteEvent)",
    ),
    after(
        "domain/policy.py",
        '    DELETE_TASK = "delete a task"',
        '    CREATE_NOTE = "note on a task"',
        '    UPDATE_NOTE = "change a note"',
    ),
    after(
        "domain/policy.py",
        "    Action.DELETE_TASK: frozenset({Reach.OWN, Reach.MANAGER}),",
        "    Action.CREATE_NOTE: frozenset({Reach.OWN, Reach.ASSIGNED, Reach.VIEWER}),",
        "    Action.UPDATE_NOTE: _OWN,",
    ),
    after("domain/policy.py", "        Action.DELETE_TASK: _ANY,", "        Action.CREATE_NOTE: _ANY,"),
    after(
        "domain/policy.py",
        "    Action.DELETE_TASK: _TASKS_WRITE,",
        "    Action.CREATE_NOTE: _TASKS_WRITE,",
        "    Action.UPDATE_NOTE: _TASKS_WRITE,",
    ),
    after(
        "persistence/models/__init__.py",
        "from persistence.models.membership import MembershipRow, membership_id",
        "from persistence.models.note import NoteRow",
    ),
    after("persistence/models/__init__.py", '    "MembershipRow",', '    "NoteRow",'),
    after(
        "persistence/unit_of_work.py",
        "from persistence.repositories.membership import MembershipRepository",
        "from persistence.repositories.note import NoteRepository",
    ),
    Registration(
        "persistence/unit_of_work.py",
        "    @cached_property\n    def projects(self)",
        "    @cached_property\n    def notes(self) -> NoteRepository:\n"
        '        """Notes on tasks that the actor may see."""\n'
        "        return NoteRepository(self, self._actor)\n\n"
        "    @cached_property\n    def projects(self)",
    ),
    after(
        "graphql_api/schema/task.py",
        "from graphql_api.schema.label import LabelConnection",
        "from graphql_api.schema.note import NoteConnection",
    ),
    after(
        "graphql_api/schema/task.py",
        "from persistence.queries.label import TASK_LABELS",
        "from persistence.queries.note import NOTES",
    ),
    Registration(
        "graphql_api/schema/task.py",
        "    history = object_field(\n",
        '    notes = object_field(BY_RELATION, "The notes, oldest first.", Pages(NoteConnection, pages_of(NOTES)))\n'
        "    history = object_field(\n",
    ),
    after(
        "graphql_api/resolvers/node.py",
        "from graphql_api.schema.membership import Membership",
        "from graphql_api.schema.note import Note",
    ),
    after(
        "graphql_api/resolvers/node.py",
        "from persistence.queries.membership import MEMBERS",
        "from persistence.queries.note import NOTES",
    ),
    after(
        "graphql_api/resolvers/node.py",
        '    "Task": NodeType(Task, reads.tasks),',
        '    "Note": NodeType(Note, NOTES.by_ids),',
    ),
    after(
        "graphql_api/root.py",
        "from graphql_api.resolvers.node import NodeQueries",
        "from graphql_api.resolvers.note import NoteMutations, NoteQueries, NoteSubscriptions",
    ),
    after(
        "graphql_api/root.py",
        "from graphql_api.schema.date_time import DateTime",
        "from graphql_api.schema.note_stream import NoteChanged",
    ),
    after("graphql_api/root.py", "    NodeQueries,", "    NoteQueries,"),
    after("graphql_api/root.py", "    CommentMutations,", "    NoteMutations,"),
    after("graphql_api/root.py", "    CommentSubscriptions,", "    NoteSubscriptions,"),
    Registration(
        "graphql_api/root.py",
        "types=(*ITEMS, CommentChanged,",
        "types=(*ITEMS, CommentChanged, NoteChanged,",
    ),
)
