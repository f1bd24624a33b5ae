"""Stored values that this version does not know: a newer version has written them."""


class UnknownValue(Exception):
    """A row holds a value for which this version has no name; reading it again does not help."""

    def __init__(self, column: str, value: object) -> None:
        super().__init__(
            f"This version does not know the {column} {value!r:.50} in the database. A newer version wrote it: "
            "use that version."
        )
