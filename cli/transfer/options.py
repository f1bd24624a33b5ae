"""What the two commands are told on the command line."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.transfer.formats import Format

STANDARD: Final = Path("-")
"""Standard input, or output."""

AsWhom = Annotated[str, typer.Option("--as", metavar="USER", help="In whose name.", show_default=False)]
InFormat = Annotated[
    Format | None, typer.Option("--format", help="Taken from the file's name if it is not given; else jsonl.")
]


def format_of(file: Path, given: Format | None) -> Format:
    """The format that was asked for, or the one that the file's name tells."""
    return given or (Format.CSV if file.suffix.lower() == ".csv" else Format.JSONL)
