"""Stored values of a newer version that this version does not know."""


class UnknownValue(Exception):
    """A row has a value that this version does not know; a retry does not help."""

    def __init__(self, column: str, value: object) -> None:
        super().__init__(
            f"This version does not know the {column} {value!r:.50} in the database. A newer version wrote it: "
            "use that version."
        )
