"""Objects by their ids alone (Relay's `node` and `nodes`)."""

from typing import Final
from uuid import UUID

import strawberry

from domain.actor import Actor
from graphql_api.auth.permissions import SIGNED_IN
from graphql_api.loaders import users_by_id
from graphql_api.resolvers.access_token import own_access_tokens
from graphql_api.resolvers.fields import query
from graphql_api.resolvers.session import own_sessions
from graphql_api.resolvers.sign_in import own_identities
from graphql_api.schema.access_token import AccessToken
from graphql_api.schema.comment import Comment
from graphql_api.schema.label import Label
from graphql_api.schema.membership import Membership
from graphql_api.schema.project import Project
from graphql_api.schema.resolves_to import AnyNode, NodeType
from graphql_api.schema.session import Session
from graphql_api.schema.sign_in import Identity
from graphql_api.schema.task import Task
from graphql_api.schema.user import User
from persistence.queries import task as reads
from persistence.queries.comment import COMMENTS
from persistence.queries.label import LABELS
from persistence.queries.membership import MEMBERS
from persistence.queries.project import projects
from persistence.queries.query import Query


def _own_sessions(actor: Actor | None, _: list[UUID]) -> Query:
    assert actor is not None
    return own_sessions(actor)


_TYPES: Final = {
    "Task": NodeType(Task, reads.tasks),
    "User": NodeType(User, users_by_id),
    "Session": NodeType(Session, _own_sessions),
    "AccessToken": NodeType(AccessToken, own_access_tokens),
    "Identity": NodeType(Identity, own_identities),
    "Project": NodeType(Project, projects),
    "Comment": NodeType(Comment, COMMENTS.by_ids),
    "Label": NodeType(Label, LABELS.by_ids),
    "Membership": NodeType(Membership, MEMBERS.by_ids),
}


@strawberry.type
class NodeQueries:
    """Fields of Query."""

    node = query(
        SIGNED_IN,
        "An object by its id. Null if it does not exist, or if you may not see it.",
        AnyNode(_TYPES, many=False),
    )
    nodes = query(
        SIGNED_IN,
        "Objects by their ids, in the same order. Null for each object that does not exist or that you may not see. "
        "For a malformed id you get null and an error whose `path` contains its index.",
        AnyNode(_TYPES, many=True),
    )
