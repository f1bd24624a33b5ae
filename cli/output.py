"""Output of commands: text for a terminal, or one JSON object for programs."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def say(text: str) -> None:
    """Print immediately. If the reader of the pipe has ended, as with `| head`, drop this and all later output."""
    try:
        print(text, flush=True)
    except OSError:
        silence_output()


def silence_output() -> None:
    """Drop all later output, and output that is still buffered."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def open_missing() -> None:
    """Replace a standard output or standard error that is closed (`>&-`) by one that drops everything."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open as long as the process


def print_result(text: str, data: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the result of a command."""
    say(json.dumps(data, ensure_ascii=False) if as_json else text)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 task`, `2,000 tasks`, `2 processes`, or with an irregular *plural* `2 entries`."""
    if number != 1 and plural is not None:
        return f"{number:,} {plural}"
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def examples(*lines: str) -> str:
    """The examples at the end of a command's help. The backspace keeps the line breaks."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
