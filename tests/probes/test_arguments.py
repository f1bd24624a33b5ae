"""Every argument that can name an object of another user has a probe."""

import pytest
from graphql import build_schema

from graphql_api.root import schema
from rest_api import endpoints
from tests.probes.arguments import naming_arguments
from tests.probes.catalog import SUBSCRIPTIONS
from tests.probes.operation import Operation
from tests.probes.operations import GRAPHQL, REST
from tests.probes.project_subscription import ProjectSubscription
from tests.probes.subscription import Subscription


def test_each_argument_of_the_schema_has_a_probe():
    """Write an operation in `operations/` for a new argument."""
    probes: tuple[Operation | ProjectSubscription | Subscription, ...] = (*GRAPHQL, *SUBSCRIPTIONS)
    probed = frozenset[str]().union(*(each.probes for each in probes))
    assert naming_arguments(schema._schema) == probed


def test_each_path_of_the_rest_api_has_a_probe():
    """With each of its methods."""
    paths = {f"{method} {each.path}" for each in endpoints.OPERATIONS for method in each.methods if "{" in each.path}
    probed = frozenset[str]().union(*(each.probes for each in REST))
    assert paths == probed - {"HEAD /tasks/{task_id}"}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("thing(id: ID!): Int", "Query.thing.id"),
        ("thing(ids: [ID!]): Int", "Query.thing.ids"),
        ("thing(input: Input): Int", "Query.thing.input.inner.userId"),
        ("thing(after: String): Int", "Query.thing.after"),
    ],
)
def test_a_new_argument_is_noticed(field: str, expected: str):
    """Also in lists and in nested inputs."""
    made = build_schema(f"type Query {{ {field} }} input Input {{ inner: Inner }} input Inner {{ userId: ID }}")
    assert expected in naming_arguments(made)
