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
    after("domain/events.py", '    ACCESS = "ACCESS"', '    COMMENT = "COMMENT"'),
    after(
        "domain/event_parsing.py",
        "from uuid import UUID\n",
        "from domain.comment import CommentEvent",
    ),
    Registration(
        "domain/event_parsing.py",
        "EVENTS_OF_NOUNS: Final[tuple[type[TaskScopedEvent], ...]] = ()",
        "EVENTS_OF_NOUNS: Final[tuple[type[TaskScopedEvent], ...]] = (CommentEvent,)",
    ),
    after(
        "domain/policy.py",
        '    DELETE_TASK = "delete a task"',
        '    CREATE_COMMENT = "comment on a task"',
        '    UPDATE_COMMENT = "change a comment"',
    ),
    after(
        "domain/policy.py",
        "    Action.DELETE_TASK: frozenset({Reach.OWN, Reach.MANAGER}),",
        "    Action.CREATE_COMMENT: frozenset({Reach.OWN, Reach.ASSIGNED, Reach.VIEWER}),",
        "    Action.UPDATE_COMMENT: _OWN,",
    ),
    after("domain/policy.py", "        Action.DELETE_TASK: _ANY,", "        Action.CREATE_COMMENT: _ANY,"),
    after(
        "persistence/models/__init__.py",
        "from persistence.models.base import Base",
        "from persistence.models.comment import CommentRow",
    ),
    after("persistence/models/__init__.py", '    "Base",', '    "CommentRow",'),
    after(
        "persistence/unit_of_work.py",
        "from persistence.queries.query import Paged, Query",
        "from persistence.repositories.comment import CommentRepository",
    ),
    after(
        "persistence/unit_of_work.py",
        "        self.tasks = TaskRepository(self, actor, task_projects)",
        "        self.comments = CommentRepository(self, actor)",
    ),
    after(
        "graphql_api/schema/task.py",
        "from domain.task import MAX_DESCRIPTION, MAX_TITLE",
        "from graphql_api.schema.comment import CommentConnection",
    ),
    after(
        "graphql_api/schema/task.py",
        "from persistence.models import VisibleTaskRow",
        "from persistence.queries.comment import COMMENTS",
    ),
    Registration(
        "graphql_api/schema/task.py",
        "    history = object_field(\n",
        "    comments = object_field(\n"
        '        BY_RELATION, "The comments on the task, oldest first.", Pages(CommentConnection, pages_of(COMMENTS))\n'
        "    )\n"
        "    history = object_field(\n",
    ),
    after(
        "graphql_api/resolvers/node.py",
        "from graphql_api.resolvers.session import own_sessions",
        "from graphql_api.schema.comment import Comment",
    ),
    after(
        "graphql_api/resolvers/node.py",
        "from persistence.queries import task as reads",
        "from persistence.queries.comment import COMMENTS",
    ),
    after(
        "graphql_api/resolvers/node.py",
        '    "Task": NodeType(Task, reads.tasks),',
        '    "Comment": NodeType(Comment, COMMENTS.by_ids),',
    ),
    after(
        "graphql_api/root.py",
        "from strawberry.schema.config import StrawberryConfig\n",
        "from graphql_api.resolvers.comment import CommentMutations, CommentQueries, CommentSubscriptions",
    ),
    after(
        "graphql_api/root.py",
        "from graphql_api.schema.base import Schema",
        "from graphql_api.schema.comment_stream import CommentChanged",
    ),
    Registration("graphql_api/root.py", "(UserQueries,", "(CommentQueries, UserQueries,"),
    Registration("graphql_api/root.py", "(SessionMutations,", "(CommentMutations, SessionMutations,"),
    Registration("graphql_api/root.py", "(StreamSubscriptions):", "(StreamSubscriptions, CommentSubscriptions):"),
    Registration("graphql_api/root.py", "types=ITEMS,", "types=(*ITEMS, CommentChanged),"),
)
