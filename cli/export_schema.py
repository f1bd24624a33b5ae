"""`taskriver export-schema`."""

from strawberry.printer import print_schema

from graphql_api.root import schema


def export_schema() -> None:
    """Print the GraphQL schema (SDL)."""
    print(print_schema(schema))
