"""Which executor the API's tests exercise: `pytest --executor=compiled` (the default) or `--executor=general`.

Compiled means that plans are made at the first request of a document, so that no test depends on what was sent before
it; general means that there are no plans.
"""

from enum import StrEnum
from typing import Any

from graphql_api.app import Server
from graphql_api.settings import Settings


class Executor(StrEnum):
    """The two ways to execute an operation."""

    COMPILED = "compiled"
    GENERAL = "general"


_chosen = Executor.COMPILED


def choose(executor: Executor) -> None:
    """Have every server of this run use this executor; called once, before tests are collected."""
    global _chosen  # noqa: PLW0603 - an option of the whole run, needed by functions that are no fixtures
    _chosen = executor


def chosen() -> Executor:
    """The executor of this run."""
    return _chosen


def a_server(settings: Settings, **options: Any) -> Server:
    """A server with the executor of this run; *options* are the server's, and go before what the run has chosen."""
    compiled = _chosen is Executor.COMPILED
    chosen = {"plans_at_first_request": compiled} | options
    return Server(settings.model_copy(update={"compile_operations": compiled}), **chosen)
