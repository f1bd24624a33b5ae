"""The command line: each command parses its arguments, calls a service, and prints the result."""

import signal


def main() -> None:
    """Run a command; see `commands`."""
    # The imports take a second. Ctrl-C during this second must not print a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cli.commands import main

    main()


__all__ = ["main"]
