"""Words for the person at the terminal, who may have gone."""

import os
import sys


def say(text: str) -> None:
    """Print at once; if nobody listens any more, as behind `| head`, go on in silence."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
