"""The standard streams of a command, of which the reader may have gone."""

import os
import sys
from pathlib import Path


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
