"""The command line: one more edge; parse, one service call, print."""

from graphql_api.cli import stopping


def main() -> None:
    """Run a command; see `commands`."""
    # The imports take a second, and Ctrl-C in it shall end as quietly as at any other time.
    stopping.by_signal()
    from graphql_api.cli.commands import main

    main()


__all__ = ["main"]
