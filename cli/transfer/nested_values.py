"""Lists in a record: the labels and the comments of a task. JSON Lines have lists; cells of CSV have texts."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from cli.transfer.dates import DateReader
from domain.comment import check_comment
from domain.errors import Invalid
from domain.label import MAX_TASK_LABELS, check_name
from domain.task import check_past
from services.import_export import ExportedComment

_AUTHOR: Final = "author"
_TEXT: Final = "text"
_CREATED: Final = "createdAt"
_FORM: Final = "a list of objects with author, text and createdAt"


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """A comment that was read from a file. Its author is not looked up yet."""

    author: str
    text: str
    created_at: datetime | None


def read_labels(value: Any) -> list[str]:
    """The names of labels: a list, or a text with commas between them, in which a name with a comma has quotes.

    Raises:
        Invalid: it has another form, or breaks a rule for labels.
    """
    if isinstance(value, str):
        value = next(csv.reader([value.strip()], skipinitialspace=True), []) if value.strip() else []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Invalid("labels must be a list of names.", path=("labels",))
    if len(value) > MAX_TASK_LABELS:
        raise Invalid(f"A task can have {MAX_TASK_LABELS} labels, not {len(value)}.", path=("labels",))
    return [check_name(each) for each in value]


def read_comments(value: Any, dates: DateReader, now: datetime) -> list[CommentRecord]:
    """The comments: a list, or its JSON.

    Raises:
        Invalid: it has another form, or breaks a rule for comments.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value) if value.strip() else []
        except orjson.JSONDecodeError as error:
            raise Invalid(f"comments must be {_FORM}, as JSON.", path=("comments",)) from error
    if not isinstance(value, list):
        raise Invalid(f"comments must be {_FORM}.", path=("comments",))
    return [_comment(each, dates, now) for each in value]


def write_comments(comments: Sequence[ExportedComment]) -> list[dict[str, str]]:
    """The comments as a record has them."""
    return [
        {_AUTHOR: each.author, _TEXT: each.text, _CREATED: each.created_at.isoformat().replace("+00:00", "Z")}
        for each in comments
    ]


def as_cells(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with texts in place of lists."""
    return {name: _cell(value) if isinstance(value, list) else value for name, value in record.items()}


def _comment(value: Any, dates: DateReader, now: datetime) -> CommentRecord:
    known = value if isinstance(value, dict) else {}
    author, text, created = known.get(_AUTHOR), known.get(_TEXT), known.get(_CREATED)
    if not isinstance(author, str) or not isinstance(text, str) or not isinstance(created, str | None):
        raise Invalid(f"comments must be {_FORM}.", path=("comments",))
    created_at = dates.read(created, field="createdAt") if created else None
    past = check_past(created_at, now, field="createdAt") if created_at is not None else None
    return CommentRecord(author, check_comment(text), past)


def _cell(value: list[Any]) -> str:
    if all(isinstance(each, str) for each in value):
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(value)
        return written.getvalue()
    return orjson.dumps(value).decode()
