"""The command line: one more edge; parse, one service call, print."""

import signal


def main() -> None:
    """Run a command; see `commands`."""
    # The imports take a second, and Ctrl-C in it shall end as quietly as at any other time.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cli.commands import main

    main()


__all__ = ["main"]
