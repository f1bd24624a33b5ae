"""The rules for labels of projects."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from domain.errors import Invalid
from domain.text import check_text

MAX_NAME: Final = 40
MAX_LABELS: Final = 200
"""The labels of a project."""
MAX_TASK_LABELS: Final = 20
"""The labels of a task."""

_COLOR: Final = re.compile(r"#[0-9a-f]{6}")


def check_name(name: str) -> str:
    """The name, stripped and in NFC: 1 to 40 characters.

    Raises:
        Invalid: outside these limits.
    """
    return unicodedata.normalize("NFC", check_text(name, field="name", at_least=1, at_most=MAX_NAME))


def folded(name: str) -> str:
    """The name without differences of case (Unicode 3.13, default caseless matching): equal names are the same."""
    return unicodedata.normalize("NFC", name.casefold())


def check_color(color: str) -> str:
    """The color in lower case, `#rrggbb`.

    Raises:
        Invalid: it has another form.
    """
    found = color.strip().lower()
    if not _COLOR.fullmatch(found):
        raise Invalid("color must be # and six hexadecimal digits, for example #1a7f37.", path=("color",))
    return found


def check_label_ids(ids: Iterable[UUID]) -> list[UUID]:
    """The ids of a task's labels, each once and sorted: at most 20.

    Raises:
        Invalid: there are more.
    """
    found = sorted(set(ids))
    if len(found) > MAX_TASK_LABELS:
        raise Invalid(f"A task can have {MAX_TASK_LABELS} labels, not {len(found)}.", path=("labelIds",))
    return found


def check_label_count(labels: int) -> None:
    """Refuse another label for a project that has this many.

    Raises:
        Invalid: it has too many.
    """
    if labels >= MAX_LABELS:
        raise Invalid(f"The project has {labels} labels, the maximum; delete one.", path=("projectId",))
