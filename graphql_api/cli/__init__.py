"""The command line: one more edge; parse, one service call, print."""

from graphql_api.cli.main import main

__all__ = ["main"]
