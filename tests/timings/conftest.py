"""The API of `tests/graphql_api`."""

from tests.graphql_api.conftest import api

__all__ = ["api"]
