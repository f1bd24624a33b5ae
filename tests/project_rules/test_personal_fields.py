"""Every field of a subscription declares how it depends on the user."""

from collections.abc import Iterator

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type, parse

from graphql_api.compiler.selections import Selection, selection_of
from graphql_api.root import schema
from graphql_api.schema.viewer import Viewer, can_access_viewer, declared_viewer, viewer_of

CORE: GraphQLSchema = schema._schema


def reachable() -> dict[str, GraphQLField]:
    """Every field that an item of the stream leads to, by `Type.field`."""
    assert CORE.subscription_type is not None
    waiting = [get_named_type(field.type) for field in CORE.subscription_type.fields.values()]
    found: dict[str, GraphQLField] = {}
    seen = set()
    while waiting:
        kind = waiting.pop()
        if kind.name in seen or not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            continue
        seen.add(kind.name)
        waiting.extend(_behind(kind))
        found |= {f"{kind.name}.{name}": field for name, field in kind.fields.items()}
        waiting.extend(get_named_type(field.type) for field in kind.fields.values())
    return found


def _behind(kind: GraphQLObjectType | GraphQLInterfaceType) -> Iterator[GraphQLObjectType]:
    if isinstance(kind, GraphQLInterfaceType):
        yield from CORE.get_possible_types(kind)


class TestDeclarations:
    def test_the_walk_gets_everywhere(self):
        """Items, tasks, users and histories are all reachable: else the rule below would prove nothing."""
        assert {"TaskStatusChanged.by", "Task.viewerCanDelete", "User.email", "TaskHistoryEntry.by"} <= set(reachable())

    def test_fields_with_access_to_the_user_declare_it(self):
        """And only these."""
        undeclared = [
            name for name, field in reachable().items() if can_access_viewer(field) and declared_viewer(field) is None
        ]
        assert undeclared == []

    def test_the_declarations(self):
        """A changed declaration needs a change here."""
        needs = {name: viewer_of(field) for name, field in reachable().items() if can_access_viewer(field)}
        assert {name for name, viewer in needs.items() if viewer is Viewer.USER} == {
            "User.email",
            "User.emailVerifiedAt",
            "User.viewerCanCreateProjects",
            "Comment.viewerDidWrite",
            "Project.streamCursor",
        }
        assert {name for name, viewer in needs.items() if viewer is Viewer.RELATION} == {
            "Task.viewerCanUpdate",
            "Task.viewerCanUpdateStatus",
            "Task.viewerCanAssign",
            "Task.viewerCanDelete",
            "Task.history",
            "Task.parent",
            "Task.subtasks",
            "Task.comments",
            "Task.viewerCanComment",
            "Task.viewerCanDeleteComments",
            "Project.viewerCanArchive",
            "Project.viewerCanDelete",
            "Project.viewerCanManageLabels",
            "Project.viewerCanManageMembers",
            "Project.viewerCanUpdate",
            "Project.viewerRole",
        }

    def test_forgetting_it_shares_nothing(self):
        """A field that could find out and declares nothing counts as personal."""
        assert CORE.query_type is not None
        assert declared_viewer(CORE.query_type.fields["me"]) is None
        assert viewer_of(CORE.query_type.fields["me"]) is Viewer.USER


def read(text: str) -> Selection:
    """What the one operation of a document selects."""
    ast = parse(text)
    return selection_of(CORE, ast, ast.definitions[0])  # type: ignore[arg-type]


class TestSelections:
    @pytest.mark.parametrize(
        ("text", "viewer"),
        [
            ("subscription { taskChanged { cursor task { id title } } }", Viewer.ALL_USERS),
            ("subscription { taskChanged { task { owner { username } } } }", Viewer.ALL_USERS),
            ("subscription { taskChanged { task { viewerCanDelete } } }", Viewer.RELATION),
            ("subscription { taskChanged { task { owner { email } } } }", Viewer.USER),
            ("subscription { taskChanged { task { owner { other: email } } } }", Viewer.USER),
            ("subscription { taskChanged { task { owner { email @skip(if: true) } } } }", Viewer.USER),
            ("subscription { taskChanged { ... on TaskChanged { by { email } } } }", Viewer.USER),
            ("""subscription { ...A } fragment A on Subscription { taskChanged { ...B } }
             fragment B on TaskStreamItem { task { owner { ...C } } } fragment C on User { email }""", Viewer.USER),
            ("subscription { taskChanged { task { assignee { ... { ... on Node { ... on User { email } } } } } } }",
             Viewer.USER),
            ("subscription { taskChanged { task { history { nodes { by { email } } } } } }", Viewer.USER),
            ("subscription { taskChanged { task { history { nodes { by { id } } } } } }", Viewer.RELATION),
        ],
    )  # fmt: skip
    def test_the_strongest_declaration_counts(self, text: str, viewer: Viewer):
        """At any depth, and through fragments."""
        assert read(text).viewer is viewer

    def test_variables_count_below_the_root_field(self):
        """What only chooses the events does not make answers differ; what an answer is made with does."""
        selection = read(
            """subscription ($after: String, $filter: TaskStreamFilter, $n: Int!, $with: Boolean!, $d: Boolean!) {
              taskChanged(after: $after, filter: $filter) { ...F @include(if: $d)
                task { history(first: $n) { nodes { at @skip(if: $with) } } } } }
            fragment F on TaskStreamItem { cursor }"""
        )
        assert selection.variables == {"n", "with", "d"}

    def test_a_directive_on_the_root_field_counts(self):
        """It decides whether there is an answer at all."""
        assert read("subscription ($on: Boolean!) { taskChanged @include(if: $on) { cursor } }").variables == {"on"}
