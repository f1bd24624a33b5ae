"""Query, Mutation and Subscription, composed into the schema."""

from datetime import datetime

import strawberry
from strawberry.schema.config import StrawberryConfig

from graphql_api.resolvers.node import NodeQueries
from graphql_api.resolvers.session import SessionMutations, SessionQueries
from graphql_api.resolvers.stream import StreamSubscriptions
from graphql_api.resolvers.task import TaskMutations, TaskQueries
from graphql_api.resolvers.user import UserMutations, UserQueries
from graphql_api.schema.base import Schema
from graphql_api.schema.date_time import DateTime
from graphql_api.schema.stream import ITEMS


@strawberry.type(description="What can be asked.")
class Query(UserQueries, TaskQueries, SessionQueries, NodeQueries):
    """All fields of Query."""


@strawberry.type(description="What can be done; each field is one transaction.")
class Mutation(SessionMutations, UserMutations, TaskMutations):
    """All fields of Mutation."""


@strawberry.type(description="What can be listened to, over `graphql-transport-ws` or Server-Sent Events.")
class Subscription(StreamSubscriptions):
    """All fields of Subscription."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=ITEMS,
    config=StrawberryConfig(scalar_map={datetime: DateTime}),
)
