"""The echo application of the transports' tests."""

from tests.graphql_api.transports.conftest import client, echo, url

__all__ = ["client", "echo", "url"]
