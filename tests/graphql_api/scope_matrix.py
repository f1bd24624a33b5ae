"""The scopes that each operation needs, written down a second time on purpose, and a request for each operation."""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
)

from domain.access_token import Scope
from graphql_api.root import schema

READ, WRITE, PROJECTS = Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.PROJECTS_MANAGE
ACCOUNT, ADMIN = Scope.ACCOUNT, Scope.ADMIN
EVERY: Final = frozenset(Scope)
NONE: Final[frozenset[Scope]] = frozenset()
READERS: Final = frozenset({READ, WRITE, PROJECTS})
"""The scopes that include `tasks:read`."""

NEEDED: Final[Mapping[str, frozenset[Scope] | None]] = {
    **dict.fromkeys(("Query.me", "Query.user", "Query.node", "Query.nodes"), EVERY),
    **dict.fromkeys(
        (
            *("Query.task", "Query.taskByKey", "Query.tasks", "Query.project", "Query.projects"),
            *("Query.assignableUsers", "Subscription.taskStatusChanged", "Subscription.taskChanged"),
            *("Subscription.commentChanged", "Subscription.projectChanged"),
        ),
        READERS,
    ),
    **dict.fromkeys(
        (
            *("Mutation.createTask", "Mutation.updateTask", "Mutation.updateTaskStatus", "Mutation.assignTask"),
            *("Mutation.setTaskLabels", "Mutation.updateTasks", "Mutation.moveTask", "Mutation.setTaskParent"),
            *("Mutation.deleteTask", "Mutation.restoreTask", "Query.trash"),
            *("Mutation.createComment", "Mutation.updateComment", "Mutation.deleteComment"),
        ),
        frozenset({WRITE}),
    ),
    **dict.fromkeys(
        (
            *("Mutation.createProject", "Mutation.updateProject", "Mutation.archiveProject", "Mutation.deleteProject"),
            *("Mutation.addMember", "Mutation.setMemberRole", "Mutation.removeMember", "Mutation.leaveProject"),
            *("Mutation.createLabel", "Mutation.updateLabel", "Mutation.deleteLabel"),
        ),
        frozenset({PROJECTS}),
    ),
    **dict.fromkeys(("Query.sessions", "Mutation.revokeSession"), frozenset({ACCOUNT})),
    **dict.fromkeys(
        ("Query.users", "Query.auditLog", "Mutation.setUserRole", "Mutation.setUserActive"), frozenset({ADMIN})
    ),
    **dict.fromkeys(
        (
            *("Mutation.changePassword", "Mutation.logout", "Mutation.logoutAll", "Mutation.deleteUser"),
            *("Query.invitations", "Mutation.createInvitation", "Mutation.revokeInvitation"),
            *("Mutation.acceptInvitation", "Mutation.requestEmailVerification"),
            *("Query.accessTokens", "Mutation.createAccessToken", "Mutation.revokeAccessToken"),
            "Mutation.createSignInCode",
            *("Query.identities", "Mutation.unlinkIdentity"),
            *("Query.serviceAccounts", "Mutation.createServiceAccount"),
        ),
        NONE,
    ),
    "Mutation.exchangeSignInCode": None,
    **dict.fromkeys(("Query.signInOptions", "Mutation.login", "Mutation.refreshToken", "Mutation.register"), None),
    **dict.fromkeys(("Mutation.requestPasswordReset", "Mutation.resetPassword", "Mutation.verifyEmail"), None),
}
"""By the root field: the scopes of which each alone suffices; none: only a session; None: public."""

REST_NEEDED: Final[Mapping[str, frozenset[Scope] | None]] = {
    **dict.fromkeys(("register", "login", "refresh"), None),
    **dict.fromkeys(("about_me", "list_sessions"), frozenset({ACCOUNT})),
    **dict.fromkeys(("logout", "logout_all"), NONE),
    **dict.fromkeys(("list_tasks", "get_task"), READERS),
    **dict.fromkeys(("create_task", "update_task", "delete_task"), frozenset({WRITE})),
}
"""The same by the operation of the REST API."""

_VALUES: Final = {"ID": '"x"', "String": '"x"', "Int": "1", "Boolean": "true", "DateTime": '"2031-01-01T00:00:00Z"'}


def root_fields() -> dict[str, str]:
    """A valid document for each root field, with values for what is required; ids are those of nothing."""
    core = schema._schema
    found = {}
    for kind, keyword in (
        (core.query_type, "query"),
        (core.mutation_type, "mutation"),
        (core.subscription_type, "subscription"),
    ):
        assert isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items():
            given = [f"{key}: {_value(each.type)}" for key, each in field.args.items() if _is_required(each)]
            arguments = f"({', '.join(given)})" if given else ""
            selection = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
            found[f"{kind.name}.{name}"] = f"{keyword} {{ {name}{arguments}{selection} }}"
    return found


def _is_required(value: GraphQLArgument | GraphQLInputField) -> bool:
    return isinstance(value.type, GraphQLNonNull)


def _value(kind: Any) -> str:
    if isinstance(kind, GraphQLNonNull):
        return _value(kind.of_type)
    if isinstance(kind, GraphQLList):
        return f"[{_value(kind.of_type)}]"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    if isinstance(kind, GraphQLInputObjectType):
        given = [f"{name}: {_value(each.type)}" for name, each in kind.fields.items() if _is_required(each)]
        return f"{{{', '.join(given)}}}"
    return _VALUES[kind.name]
