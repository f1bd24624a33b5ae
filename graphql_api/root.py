"""The root types Query, Mutation and Subscription, and the schema."""

from datetime import datetime

import strawberry
from strawberry.schema.config import StrawberryConfig

from graphql_api.resolvers.access_token import AccessTokenMutations, AccessTokenQueries
from graphql_api.resolvers.audit import AuditQueries
from graphql_api.resolvers.comment import CommentMutations, CommentSubscriptions
from graphql_api.resolvers.email_account import EmailAccountMutations
from graphql_api.resolvers.invitation import InvitationMutations, InvitationQueries
from graphql_api.resolvers.label import LabelMutations
from graphql_api.resolvers.membership import MembershipMutations
from graphql_api.resolvers.node import NodeQueries
from graphql_api.resolvers.project import ProjectMutations, ProjectQueries, ProjectSubscriptions
from graphql_api.resolvers.service_account import ServiceAccountMutations, ServiceAccountQueries
from graphql_api.resolvers.session import SessionMutations, SessionQueries
from graphql_api.resolvers.sign_in import SignInMutations, SignInQueries
from graphql_api.resolvers.sign_in_code import SignInCodeMutations
from graphql_api.resolvers.stream import StreamSubscriptions
from graphql_api.resolvers.task import TaskMutations, TaskQueries
from graphql_api.resolvers.trash import TrashMutations, TrashQueries
from graphql_api.resolvers.user import UserMutations, UserQueries
from graphql_api.schema.base import Schema
from graphql_api.schema.comment_stream import CommentChanged
from graphql_api.schema.date_time import DateTime
from graphql_api.schema.project_stream import PROJECT_ITEMS
from graphql_api.schema.stream import ITEMS


@strawberry.type(description="All queries. A query never changes data.")
class Query(
    UserQueries,
    TaskQueries,
    ProjectQueries,
    TrashQueries,
    SessionQueries,
    SignInQueries,
    AccessTokenQueries,
    ServiceAccountQueries,
    AuditQueries,
    InvitationQueries,
    NodeQueries,
):
    """The root type for queries."""


@strawberry.type(description="All mutations. Each field runs in a transaction of its own.")
class Mutation(
    SessionMutations,
    SignInCodeMutations,
    SignInMutations,
    AccessTokenMutations,
    ServiceAccountMutations,
    UserMutations,
    EmailAccountMutations,
    InvitationMutations,
    TaskMutations,
    ProjectMutations,
    MembershipMutations,
    LabelMutations,
    CommentMutations,
    TrashMutations,
):
    """The root type for mutations."""


@strawberry.type(description="All subscriptions, over WebSocket (`graphql-transport-ws`) or Server-Sent Events.")
class Subscription(
    StreamSubscriptions,
    CommentSubscriptions,
    ProjectSubscriptions,
):
    """The root type for subscriptions."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=(*ITEMS, CommentChanged, *PROJECT_ITEMS),
    config=StrawberryConfig(scalar_map={datetime: DateTime}),
)
