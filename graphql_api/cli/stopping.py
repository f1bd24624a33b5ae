"""Ctrl-C and SIGTERM: a command leaves all its blocks in order and ends without a word from Python."""

import signal
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def by_signal(*, well: bool = False) -> None:
    """From now on the first signal ends the command by `SystemExit`, and later ones do not disturb it on its way.

    The exit status is what shells expect, 128 and the signal's number; 0 if being stopped is how the command ends
    *well*.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(0 if well else 128 + number)

    for each in SIGNALS:
        signal.signal(each, leave)
