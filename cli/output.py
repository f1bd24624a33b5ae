"""Output of commands: text for people, one JSON object for programs."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

AsJSON = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]


def say(text: str) -> None:
    """Print at once; if nobody reads it any more, as behind `| head`, go on in silence."""
    try:
        print(text, flush=True)
    except OSError:
        silence_output()


def silence_output() -> None:
    """Drop what is printed from now on, and what was printed and not written yet."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def open_missing() -> None:
    """Give a process that was started without standard output or standard error (`>&-`) ones that drop everything."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open as long as the process


def answer(words: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """The last thing that a command says."""
    say(json.dumps(facts, ensure_ascii=False) if as_json else words)


def counted(number: int, noun: str) -> str:
    """`1 task`, `2,000 tasks`, `2 processes`."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def examples(*lines: str) -> str:
    """The end of a command's help. The backspace keeps the lines as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
