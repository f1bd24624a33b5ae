"""Random mutations: the sender, the requests and the situation of a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graphql import (
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    coerce_input_value,
    get_named_type,
    is_composite_type,
)

from graphql_api.execution.request import OperationRequest
from tests.graphql_api.compiler.oracle.generator import Writer
from tests.graphql_api.compiler.oracle.inputs import FIELDS, Inputs
from tests.graphql_api.compiler.oracle.situation import ROLES, Situation

ACTORS: Final = tuple(name for name in ROLES if name != "inactive")
KEY: Final = "key-1"
BAD_KEYS: Final = ("a key", "", "x" * 300, 7)
CODE: Final = "probeErrors"
RESULT: Final = "probe_"
"""The prefix of the aliases by which coverage finds the content of a payload."""
_TASK: Final = (
    " { version viewerCanUpdate key rank project { key viewerRole } owner { id email } assignee { id email role }"
    " parent { title viewerCanUpdate } subtaskCount doneSubtaskCount }"
)
_DEEP: Final = {
    "task": _TASK,
    "results": f" {{ taskId task {_TASK} userErrors {{ code path message }} }}",
    "accessToken": " { id name scopes expiresAt lastUsedAt }",
    "label": " { name color version }",
    "comment": " { text version viewerDidWrite author { id email } }",
    "user": " { id email role isActive }",
    "project": " { key name isArchived version viewerRole viewerCanUpdate viewerCanManageMembers }",
    "remainingData": " { place description until }",
    "membership": " { role user { id email } }",
}
_GROUPS: Final = (
    tuple(name for name in FIELDS if "Task" in name),
    tuple(name for name in FIELDS if "Project" in name or "Member" in name or "Label" in name),
    tuple(name for name in FIELDS if "Comment" in name),
)
"""Mutations that are sent together, because they change the same rows."""
_LISTS: Final = ("task.history", "project.members", "labels", "task.comments", "task.subtasks")
"""The lists below payloads."""
_DEFAULTS: Final = {"title": '"T"', "description": '"D"', "priority": "HIGH", "returnRefreshToken": "true"}
"""Of variables without `!` where the schema wants a value: null is found wrong only when the field is run."""


@dataclass(frozen=True)
class Call:
    """One mutation field of a request."""

    alias: str
    name: str
    input: dict[str, Any] | None


@dataclass(frozen=True)
class Sending:
    """One request with its header fields."""

    request: OperationRequest
    calls: Sequence[Call]
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """The mutation fields by their names in the response."""
        return {call.alias: call.name for call in self.calls}


@dataclass(frozen=True)
class Case:
    """Requests that one user, or an anonymous client, sends in order through one transport."""

    seed: int
    actor: str | None
    transport: str
    sendings: Sequence[Sending]

    @property
    def is_in_order(self) -> bool:
        """Whether the events have one order: `updateTasks` changes its tasks at the same time."""
        return not any(call.name == "updateTasks" for sending in self.sendings for call in sending.calls)


@dataclass
class MutationWriter(Writer):
    """Writes one document of mutations; *likely* is how likely the payload is asked for what coverage looks at."""

    likely: float = 0.85
    _written_calls: list[str] = field(default_factory=list)

    def mutation(self, calls: Sequence[Call]) -> Any:
        """The document with its variables."""
        for call in calls:
            self._written_calls.extend(self._call(call))
        if self.chance.random() < 0.1:
            self._written_calls.append("__typename")
        return self._whole("mutation", " ".join(self._written_calls))

    def _call(self, call: Call) -> list[str]:
        root = self.schema.mutation_type
        assert root is not None
        known = root.fields[call.name]
        arguments = f"(input: {self._input(known.args['input'].type, call.input)})" if call.input is not None else ""
        head = f"{call.alias}: {call.name}{arguments}"
        # Two places that select one field are one field, with both selections.
        places = 2 if self.chance.random() < 0.12 else 1
        return [self._place(f"{head} {self._payload(known.type)}", root.name) for _ in range(places)]

    def _place(self, written: str, root: str) -> str:
        how = self.chance.random()
        if how < 0.06:
            return "... @include(if: true) { " + written + " }"
        return f"... on {root} {{ {written} }}" if how < 0.12 else written

    def _payload(self, kind: Any) -> str:
        selection = self._selection(kind, 1)
        if self.chance.random() >= self.likely:
            return selection
        probes = [
            f"{RESULT}{name}: {name}{_DEEP[name] if is_composite_type(get_named_type(field.type)) else ''}"
            for name, field in kind.fields.items()
            if name != "userErrors"
        ]
        return selection[:-1] + " ".join([*probes, f"{CODE}: userErrors {{ code path message }}", "}"])

    def _input(self, kind: Any, values: dict[str, Any]) -> str:
        if self.chance.random() < 0.5:
            return self._variable(str(kind), values)
        return self._object(kind.of_type, values)

    def _object(self, kind: GraphQLInputObjectType, values: dict[str, Any]) -> str:
        """A literal; a value that is missing or has another type makes the whole a variable."""
        if not values.keys() <= kind.fields.keys() or any(
            name not in values and _is_required(known) for name, known in kind.fields.items()
        ):
            return self._variable(f"{kind}!", values)
        written = (f"{name}: {self._field_value(name, each, kind.fields[name].type)}" for name, each in values.items())
        return "{" + ", ".join(written) + "}"

    def _field_value(self, name: str, value: Any, kind: Any) -> str:
        if name in _DEFAULTS and self.chance.random() < (0.3 if value is not None else 0.8):
            value = None if self.chance.random() < 0.3 else value
            if value is None or _fits(value, kind):
                return self._variable(f"{str(kind).removesuffix('!')} = {_DEFAULTS[name]}", value)
        if not _fits(value, kind) or self.chance.random() < 0.3:
            return self._variable(str(kind), value)
        return self._literal(value, kind)


def case_of(schema: GraphQLSchema, situation: Situation, seed: int) -> Case:
    """The case of this seed; every field comes first in turn."""
    chance = random.Random(f"mutation {seed}")
    first = FIELDS[seed % len(FIELDS)]
    actor = _actor(first, chance)
    inputs = Inputs(situation, actor, chance)
    calls = _calls(first, inputs, chance)
    key = chance.choice(BAD_KEYS) if chance.random() < 0.04 else chance.choice((None, KEY))
    sendings = [_sending(schema, calls, chance, key, inputs)]
    if key is not None and chance.random() < 0.7:
        others = [replace(call, input=inputs.of(call.name, wild=False)) for call in calls]
        sendings.append(_sending(schema, chance.choice((calls, others)), chance, key, inputs))
    transport = "ws" if chance.random() < 0.1 else "http"
    return Case(seed, actor, transport, sendings)


def _actor(first: str, chance: random.Random) -> str | None:
    if first.startswith("setUser") or first == "deleteUser":
        return chance.choice(("admin", "admin", "admin", "admin", "deputy", "deputy", *ACTORS, None))
    if first in _GROUPS[1] or first == "restoreTask":
        return chance.choice(("owner", "owner", "owner", "outsider", *ACTORS))
    if first in {"login", "exchangeSignInCode", "register", "refreshToken"}:
        return chance.choice((None, None, *ACTORS))
    return chance.choice((*ACTORS, "owner", "owner", None) if chance.random() < 0.3 else ACTORS)


def _calls(first: str, inputs: Inputs, chance: random.Random) -> list[Call]:
    others = next((group for group in _GROUPS if first in group), FIELDS)
    names = [first, *(chance.choice(others) for _ in range(chance.choice((0, 0, 1, 2))))]
    calls = [(name, inputs.of(name, wild=chance.random() < 0.05)) for name in names]
    if chance.random() < 0.05:
        calls.append(("createTask", {"title": "A title", "description": None}))  # found wrong when the field is run
    return [Call(f"m{number}", *call) for number, call in enumerate(calls)]


def _sending(schema: GraphQLSchema, calls: Sequence[Call], chance: random.Random, key: Any, inputs: Inputs) -> Sending:
    with_lists = chance.random() < 0.25
    left_out = frozenset() if with_lists else frozenset({"history", "members", "labels", "comments", "subtasks"})
    writer = MutationWriter(
        schema,
        ["nonsense", "", "?"],
        {order: ["nonsense"] for order in _LISTS},
        chance,
        True,
        left_out,
    )
    sent = writer.mutation(calls)
    extensions, headers = _key(key, chance)
    if chance.random() < 0.5:
        headers.extend((b"cookie", f"refresh_token={inputs.token()}".encode()) for _ in range(chance.choice((1, 1, 2))))
    return Sending(OperationRequest(sent.query, None, sent.variables, extensions), calls, tuple(headers))


def _key(key: Any, chance: random.Random) -> tuple[dict[str, Any], list[tuple[bytes, bytes]]]:
    """The key in the extensions, in a header field, or in both."""
    if key is None:
        return {}, []
    where = chance.choice(("extension", "extension", "header", "both"))
    header = [(b"idempotency-key", str(key).encode())] if where != "extension" else []
    return ({"idempotencyKey": key} if where != "header" else {}), header


def _is_required(known: Any) -> bool:
    return isinstance(known.type, GraphQLNonNull) and known.default_value is Undefined


def _fits(value: Any, kind: Any) -> bool:
    return coerce_input_value(value, kind) is not Undefined
