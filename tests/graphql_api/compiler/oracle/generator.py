"""Random valid documents with every feature that makes plans differ; a seed gives the same document."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    get_named_type,
)

from domain.errors import BadRequest
from graphql_api.schema.ids import decode_id

MAX_DEPTH: Final = 6
_NOT_COMPILED: Final = ("signInOptions",)
"""Root fields that resolve to settings of the server, not to rows: only the general executor has them."""
_SIZES: Final = (1, 2, 3, 5, 20)
_BAD_SIZES: Final = (0, -1, 101, 2**31, 1.5, "3", None)
_TEXTS: Final = ("", "Task", "user", "100%", "a_b\\", "ünïcode", "no such thing")
_ORDERS: Final = {
    "TaskConnection": "CREATED_DESC",
    "UserConnection": "users.created",
    "TaskHistoryConnection": "task.history",
    "ProjectConnection": "projects.key",
    "MembershipConnection": "project.members",
    "LabelConnection": "labels",
    "CommentConnection": "task.comments",
    "SubtaskConnection": "task.subtasks",
    "DeletedTaskConnection": "trash",
    "AuditEntryConnection": "audit.at",
    "InvitationConnection": "invitations.created",
}
_KINDS: Final = {
    "actorId": "User",
    "ownerId": "User",
    "assigneeId": "User",
    "projectId": "Project",
    "parentId": "Task",
    "labelIds": "Label",
}
"""The types of the objects that arguments and fields of filters name."""
KEYS: Final = ("ORACLE1", "oracle2", "ORACLE3", "NOTHING")
"""Of projects that the dataset has, and of one that it has not."""
_INSTANTS: Final = ("2026-12-24T18:00:00Z", "1999-01-01T00:00:00+01:00", "2030-06-01T12:00:00.5-05:00")


def names(text: str, kind: str) -> bool:
    """Whether an id is that of an object of this type."""
    try:
        return decode_id(text, field="id")[0] == kind
    except BadRequest:
        return False


@dataclass
class Sent:
    """A document with its variables."""

    query: str
    variables: dict[str, Any]


@dataclass
class Writer:
    """Writes one document; *ids* are opaque ids that exist, and some that do not."""

    schema: GraphQLSchema
    ids: Sequence[str]
    cursors: Mapping[str, Sequence[str]]
    """By the order that they belong to."""
    chance: random.Random
    wild: bool = False
    """Whether values may be wrong, so that the answer has errors."""
    left_out: frozenset[str] = frozenset()
    """Names of fields that are never selected."""
    _variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    _fragments: list[str] = field(default_factory=list)
    _aliases: int = 0

    def document(self) -> Sent:
        """A query."""
        root = self.schema.query_type
        assert root is not None
        count = self.chance.choice((1, 1, 1, 2, 3))
        body = " ".join(self._root_field(root) for _ in range(count))
        return self._whole("query", body)

    def _whole(self, kind: str, body: str) -> Sent:
        """The operation of these root fields, with its variables and fragments."""
        declared = " ".join(f"${name}: {kind}" for name, (kind, _) in self._variables.items())
        short = (kind, f"{kind} Q", "") if kind == "query" else (kind, f"{kind} Q")
        head = f"{kind} Q({declared})" if declared else self.chance.choice(short)
        given = {name: value for name, (_, value) in self._variables.items() if value is not Undefined}
        return Sent(" ".join([head, "{", body, "}", *self._fragments]), given)

    def _root_field(self, root: GraphQLObjectType) -> str:
        compiled = [name for name in root.fields if name not in _NOT_COMPILED]
        names = [name for name in compiled if name != "nodes" or self.chance.random() < 0.5]
        name = self.chance.choice([*names, "tasks", "tasks", "task", "__typename", "subtasks"])
        if name == "subtasks":
            return self._subtasks_with_parents()
        return self._field(root, name, 0)

    def _subtasks_with_parents(self) -> str:
        """Subtasks of several tasks, with what their parents refer to, and the pages of these."""
        kind: Any = self.schema.type_map["Task"]
        names = self.chance.sample(("owner", "assignee", "project", "parent", "labels", "comments", "subtasks"), 3)
        below = " ".join(self._field(kind, name, MAX_DEPTH - 1) for name in names)
        order = self.chance.choice(("CREATED_ASC", "CREATED_DESC"))
        given = f"first: {self.chance.randint(5, 15)}, filter: {{isSubtask: true}}, orderBy: {order}"
        return f"{self._alias()}: tasks({given}) {{ nodes {{ title parent {{ {below} }} }} }}"

    def _selection(self, kind: Any, depth: int) -> str:
        """Something of an object or interface, in braces."""
        names = list(kind.fields) if depth < MAX_DEPTH else self._leaves(kind)
        names = [name for name in names if name not in self.left_out]
        chosen = self.chance.sample(names, min(len(names), self.chance.randint(1, 5)))
        parts = [self._maybe_fragment(kind, name, depth) for name in chosen] or ["__typename"]
        if self.chance.random() < 0.3:
            parts.append(self.chance.choice(("__typename", "t: __typename")))
        if self.chance.random() < 0.2:
            parts.append(self.chance.choice(parts))
        return "{ " + " ".join(parts) + " }"

    def _leaves(self, kind: Any) -> list[str]:
        return [
            name
            for name, known in kind.fields.items()
            if isinstance(get_named_type(known.type), GraphQLScalarType | GraphQLEnumType) and not known.args
        ]

    def _maybe_fragment(self, kind: Any, name: str, depth: int) -> str:
        written = self._field(kind, name, depth)
        how = self.chance.random()
        if how < 0.1:
            return "... " + self._directive() + "{ " + written + " }"
        if how < 0.2:
            return f"... on {kind.name} {self._directive()}{{ {written} }}"
        if how < 0.3:
            fragment = f"F{len(self._fragments)}"
            self._fragments.append(f"fragment {fragment} on {kind.name} {{ {written} }}")
            return f"...{fragment} {self._directive()}"
        return written

    def _field(self, kind: Any, name: str, depth: int) -> str:
        if name == "__typename":
            return f"{self._alias()}: __typename" if self.chance.random() < 0.5 else "__typename"
        known: GraphQLField = kind.fields[name]
        arguments = self._arguments(known)
        # Two fields of one name and different arguments would not be one answer.
        named = f"{self._alias()}: {name}" if known.args or self.chance.random() < 0.15 else name
        below = self._below(get_named_type(known.type), depth)
        return f"{named}{arguments} {self._directive()}{below}"

    def _below(self, kind: Any, depth: int) -> str:
        if isinstance(kind, GraphQLObjectType):
            return self._selection(kind, depth + 1)
        if isinstance(kind, GraphQLInterfaceType):
            concrete = self.chance.sample(self.schema.get_possible_types(kind), 2)
            parts = [f"... on {each.name} {self._selection(each, depth + 3)}" for each in concrete]
            return "{ id " + " ".join(parts) + " }"
        return ""

    def _alias(self) -> str:
        self._aliases += 1
        return f"a{self._aliases}"

    def _directive(self) -> str:
        if self.chance.random() < 0.85:
            return ""
        name, value = self.chance.choice(("skip", "include")), self.chance.random() < 0.5
        if self.chance.random() < 0.5:
            return f"@{name}(if: {str(value).lower()}) "
        return f"@{name}(if: {self._variable('Boolean!', value)}) "

    def _arguments(self, known: GraphQLField) -> str:
        names = [
            name for name, argument in known.args.items() if self._is_required(argument) or self.chance.random() < 0.5
        ]
        values = {name: self._argument(name, known) for name in names}
        if "last" in known.args and not self.wild:
            self._make_a_page(known, values)
            if values.get("orderBy") == "RANK":
                values["filter"] = (values.get("filter") or {}) | {"projectId": self._id_of("Project")}
        if {"id", "key"} <= known.args.keys() and not self.wild:
            values = self._id_or_key(known)
        given = [f"{name}: {self._written(known.args[name], value)}" for name, value in values.items()]
        return f"({', '.join(given)})" if given else ""

    def _make_a_page(self, known: GraphQLField, values: dict[str, Any]) -> None:
        """Only one direction, and cursors of this list; other faults may remain."""
        if "first" in values and "last" in values:
            values[self.chance.choice(("first", "last"))] = None
        cursors = self.cursors[values.get("orderBy") or _ORDERS[get_named_type(known.type).name]]
        for name in ("after", "before"):
            if name in values:
                values[name] = self.chance.choice((None, *cursors))

    def _id_or_key(self, known: GraphQLField) -> dict[str, Any]:
        """One of both: a project has a key, too."""
        if self.chance.random() < 0.5:
            return {"key": self.chance.choice(KEYS)}
        return {"id": self._id_of(str(get_named_type(known.type)))}

    def _is_required(self, argument: GraphQLArgument) -> bool:
        return isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined

    def _argument(self, name: str, known: GraphQLField) -> Any:
        if not self.wild and name == "id":
            return self._id_of(str(get_named_type(known.type)))
        if not self.wild and name in _KINDS:
            return self.chance.choice((None, self._id_of(_KINDS[name])))
        if name == "key" and get_named_type(known.type).name == "Task":
            return f"{self.chance.choice(KEYS)}-{self.chance.randint(1, 5)}"
        return self._value(known.args[name].type)

    def _written(self, argument: GraphQLArgument, value: Any) -> str:
        if self.chance.random() < 0.5:
            return self._variable(self._declared(argument), value)
        return self._literal(value, argument.type)

    def _declared(self, argument: GraphQLArgument) -> str:
        kind = str(argument.type)
        # A nullable variable may stand where there is a default.
        may_be_null = kind.endswith("!") and argument.default_value is not Undefined
        return kind.removesuffix("!") if may_be_null and self.chance.random() < 0.5 else kind

    def _variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self._variables)}"
        if not kind.endswith("!") and self.chance.random() < 0.15:
            value = Undefined
        self._variables[name] = (kind, value)
        return f"${name}"

    def _value(self, kind: Any) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._given(kind.of_type)
        return None if self.chance.random() < 0.1 else self._given(kind)

    def _given(self, kind: Any) -> Any:
        if isinstance(kind, GraphQLList):
            return [self._value(kind.of_type) for _ in range(self.chance.randint(0, 3))]
        if isinstance(kind, GraphQLEnumType):
            return self.chance.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            chosen = [name for name in kind.fields if self.chance.random() < 0.3]
            return {name: self._in_filter(name, kind.fields[name].type) for name in chosen}
        return self._scalar(kind)

    def _in_filter(self, name: str, kind: Any) -> Any:
        """A value of a field of a filter: an id is mostly that of an object of its type."""
        if name not in _KINDS or self.chance.random() < 0.1:
            return self._value(kind)
        found = self._id_of(_KINDS[name])
        return [found] if name.endswith("Ids") else found

    def _scalar(self, kind: Any) -> Any:
        if kind.name == "Int":
            return self.chance.choice(_BAD_SIZES[:4] if self.wild and self.chance.random() < 0.3 else _SIZES)
        if kind.name == "ID":
            return self.chance.choice(self.ids if self.wild else self.ids[:-2])
        if kind.name == "DateTime":
            return self.chance.choice(_INSTANTS)
        if kind.name == "Boolean":
            return self.chance.random() < 0.5
        return self.chance.choice((*self._any_cursors(), *_TEXTS) if self.wild else _TEXTS[1:3])

    def _any_cursors(self) -> list[str]:
        return [self.chance.choice(cursors) for cursors in self.cursors.values()]

    def _id_of(self, kind: str) -> str:
        return self.chance.choice([each for each in self.ids if kind == "Node" or names(each, kind)])

    def _literal(self, value: Any, kind: Any) -> str:
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if value is None:
            return "null"
        if isinstance(kind, GraphQLList):
            if not isinstance(value, list):
                return self._literal(value, kind.of_type)
            return "[" + ", ".join(self._literal(each, kind.of_type) for each in value) + "]"
        if isinstance(kind, GraphQLInputObjectType):
            fields = (f"{name}: {self._item(each, kind.fields[name].type)}" for name, each in value.items())
            return "{" + ", ".join(fields) + "}"
        if isinstance(kind, GraphQLEnumType):
            return str(value)
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, int) else json.dumps(str(value), ensure_ascii=False)

    def _item(self, value: Any, kind: Any) -> str:
        """A value within an object: sometimes a variable."""
        return self._variable(str(kind), value) if self.chance.random() < 0.3 else self._literal(value, kind)
