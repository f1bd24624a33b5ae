"""Options that `import` and `export` share."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.transfer.formats import Format

STANDARD: Final = Path("-")
"""Standard input, or output."""

AsWhom = Annotated[str, typer.Option("--as", metavar="USER", help="The user as whom to act.", show_default=False)]
InFormat = Annotated[
    Format | None, typer.Option("--format", help="By default csv if the file's name ends with .csv, else jsonl.")
]


def format_of(file: Path, given: Format | None) -> Format:
    """The format of `--format`, else the one that the file's name implies."""
    return given or (Format.CSV if file.suffix.lower() == ".csv" else Format.JSONL)
