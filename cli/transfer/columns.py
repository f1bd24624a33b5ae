"""The field of a task for each column of a CSV file, or each key of a JSON object."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Self

from cli.errors import CommandError
from domain.errors import Invalid

FIELDS: Final = (
    "id",
    "title",
    "description",
    "status",
    "priority",
    "dueAt",
    "owner",
    "assignee",
    "createdAt",
    "updatedAt",
    "completedAt",
    "version",
    "project",
    "key",
    "labels",
    "comments",
    "parent",
    "rank",
)
"""The fields of an export, in order. They have the names of GraphQL; users are usernames, a project is its key, labels
are their names, and a parent is its id.
"""

_ALIASES: Final = {"uuid": "id", "completed": "completed"}
"""Names of the REST API that differ from the GraphQL name by more than their spelling."""

_SHOWN: Final = 40


def _normalised(name: str) -> str:
    """A name without case, spaces, underscores and hyphens: `Due at`, `due_at` and `dueAt` are the same."""
    return "".join(character for character in name.casefold() if character not in " _-")


_KNOWN: Final = {_normalised(name): name for name in FIELDS} | _ALIASES


class Columns:
    """Maps the names in a file to fields: by name, or by `--map`; `--ignore` skips names."""

    def __init__(self, mapped: Mapping[str, str] | None = None, ignored: Collection[str] = ()) -> None:
        """*mapped* has field names by the file's names; *ignored* has the file's names to skip.

        Raises:
            CommandError: a name is mapped to an unknown field.
        """
        self._mapped = {_normalised(name): _target(name, field) for name, field in (mapped or {}).items()}
        self._ignored = {_normalised(name) for name in ignored}
        self._resolved: dict[tuple[str, ...], list[str | None]] = {}

    @classmethod
    def parse(cls, mapped: Iterable[str], ignored: Collection[str]) -> Self:
        """Columns from the options `--map NAME=FIELD` and `--ignore NAME`.

        Raises:
            CommandError: a mapping has another form, or names an unknown field.
        """
        pairs = {}
        for each in mapped:
            name, separator, field = each.rpartition("=")
            if not separator or not name.strip():
                raise CommandError(f"--map {each!a} must have the form NAME=FIELD, such as 'Task name=title'.")
            pairs[name] = field
        return cls(pairs, ignored)

    def fields_of(self, names: Collection[str]) -> list[str | None]:
        """The field of each name; None for a name that is skipped.

        Raises:
            Invalid: a name is unknown, or two names map to the same field.
        """
        key = tuple(names)
        if key not in self._resolved:
            self._resolved = {key: self._resolve(key)}  # all lines of a file have the same names
        return self._resolved[key]

    def record(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values by field.

        Raises:
            Invalid: see `fields_of`.
        """
        fields = self.fields_of(values.keys())
        return {field: value for field, value in zip(fields, values.values(), strict=True) if field is not None}

    def _resolve(self, names: tuple[str, ...]) -> list[str | None]:
        kept = [name for name in names if _normalised(name) not in self._ignored]
        unknown = [name for name in kept if self._field(name) is None]
        if unknown:
            raise Invalid(_unknown(unknown))
        sources: dict[str | None, str] = {}
        for name in kept:
            field = self._field(name)
            if field in sources:
                raise Invalid(
                    f"{_quoted(sources[field])} and {_quoted(name)} are both {field}: skip one of them with --ignore."
                )
            sources[field] = name
        return [None if _normalised(name) in self._ignored else self._field(name) for name in names]

    def _field(self, name: str) -> str | None:
        normalised = _normalised(name)
        return self._mapped.get(normalised) or _KNOWN.get(normalised)


def _target(name: str, field: str) -> str:
    known = _KNOWN.get(_normalised(field))
    if known is None:
        raise CommandError(f"--map {name}={field}: {field!a} is not a field. The fields are {', '.join(FIELDS)}.")
    return known


def _unknown(names: list[str]) -> str:
    first = names[0][:_SHOWN]
    verb = "is not a field" if len(names) == 1 else "are not fields"
    return (
        f"{', '.join(map(_quoted, names[:3]))} {verb}. The fields are {', '.join(FIELDS)}. "
        f"Map the name to a field, such as --map {first + '=title'!a}, or skip it with --ignore {first!a}."
    )


def _quoted(name: str) -> str:
    return ascii(name[:_SHOWN])
