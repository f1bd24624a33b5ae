"""Hostile values, documents, bodies and headers. Ids of real rows are known only while a test runs, so generated JSON
has marks for them, such as `@task@`.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    build_client_schema,
    get_named_type,
    is_leaf_type,
    is_object_type,
    is_required_argument,
)
from hypothesis import strategies as st

from graphql_api.root import schema

Path = tuple[str | int, ...]

TASK, USER, SESSION, PROJECT = "@task@", "@user@", "@session@", "@project@"
LABEL, COMMENT, ACCESS_TOKEN = "@label@", "@comment@", "@access_token@"
INVITATION, IDENTITY, LEAVER = "@invitation@", "@identity@", "@leaver@"
NEW_TASK, DELETED_TASK = "@new_task@", "@deleted_task@"
FIRST_TASK, LAST_TASK = "@first_task@", "@last_task@"
"""The tasks of the project."""
OUTSIDERS = [
    *("@victim_task@", "@victim@", "@victim_session@", "@victim_project@", "@victim_membership@"),
    *("@victim_label@", "@victim_comment@", "@victim_project_task@", "@victim_deleted_task@", "@victim_trash@"),
]
RANK = "RANK"
ORDERS = [*(f"{by}_{way}" for by in ("CREATED", "UPDATED", "DUE", "PRIORITY") for way in ("ASC", "DESC")), RANK]
LISTS_OF_A_TASK = {
    "history": "task.history",
    "comments": "task.comments",
    "subtasks": "task.subtasks",
    "labels": "labels",
}
"""Their orders in cursors, by the field."""
CURSOR_ORDERS = [
    *ORDERS,
    "users.created",
    "projects.key",
    "project.members",
    "trash",
    "audit.at",
    *LISTS_OF_A_TASK.values(),
]
NOBODYS = UUID(int=7)


def encoded(plain: bytes | str) -> str:
    """As ids and cursors are written: URL-safe base64 without padding."""
    data = plain.encode() if isinstance(plain, str) else plain
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def cursor(order: object, value: object, identity: object = NOBODYS.hex) -> str:
    """A page cursor that was never given out."""
    return encoded(json.dumps([order, value, identity]))


TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud800", "x\udfffy", "\ufeff", "\u202eevil\u202c", "e\u0301" * 40,
    "👩‍👩‍👧‍👦" * 30, "ﷺ" * 300,
    "İıſK", "ALİCE", "admin ",
    "' OR 1=1 --", "%_\\%", "\\", "${jndi:x}", "<script>", "{{7*7}}", "a\r\nSet-Cookie: x=y",
    "\x1b[31m", "a" * 201, "b" * 10_001, "c" * 60_000, "null", "true", "1e400", "\u2028\u2029", "\U0010ffff", "٣٤٥",
]  # fmt: skip
NUMBERS = [
    0, -1, 1.5, -0.0, 101, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63, 2**64, 10**400, -(10**400), 1e308,
    float("nan"), float("inf"), float("-inf"), 5e-324,
]  # fmt: skip
INSTANTS = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59",
    "2026-01-01T00:00:00+99:99", "2016-12-31T23:59:60Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01",
    "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "2026-01-01T00:00:00", "infinity",
    "2026-01-01T00:00:00.1234567891Z", "٢٠٢٦-٠١-٠١T٠٠:٠٠:٠٠Z", "2026-01-01T00:00:00z", "1969-12-31T23:59:59Z", "now",
]  # fmt: skip
IDS = [
    *OUTSIDERS, TASK, USER, SESSION, PROJECT, LABEL, COMMENT, ACCESS_TOKEN, NEW_TASK, DELETED_TASK,
    FIRST_TASK, LAST_TASK, INVITATION, IDENTITY,
    encoded(b"Task:" + bytes.fromhex("019a0000000070008000000000000001")),
    encoded(b"Task:" + bytes.fromhex("ffffffffffff7fffbfffffffffffffff")),
    encoded(b"Task:" + bytes.fromhex("019a0000000040008000000000000001")),
    encoded("Task:"), encoded("Task:" + "a" * 15), encoded("Task:" + "a" * 17),
    encoded(b"Task:" + bytes(16)), encoded(b"User:" + bytes(16)), encoded(b"Session:" + b"\xff" * 16),
    encoded(b"\x00:" + bytes(16)), encoded(b"\xff\xfe:" + bytes(16)), encoded(b":" + bytes(16)), encoded("no colon"),
    encoded(b"Project:" + bytes(16)), encoded(b"Membership:" + bytes(16)),
    encoded(b"Label:" + bytes(16)), encoded(b"Comment:" + bytes(16)),
    encoded(b"Query:" + bytes(16)), encoded("__Type:" + "a" * 16), "=", "====", "a", "A" * 101, "Ⅷ", "+/+/", "-_-_",
]  # fmt: skip
VALUES: list[Any] = [
    None, "", "\x00", 0, -1, "infinity", "-infinity", "NaN", "1", "5", "1_0", "9" * 500, "-5", "1.5", True, [],
    {}, 10**400,
    "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00+23:59", "2026-01-01",
    "2026-01-01T00:00:00", "9999-12-31T23:59:59.999999-23:59", "\ud800", "x" * 900,
    "V0000001", "zzzzzzzzz", "V000000-", "V" * 31,
]  # fmt: skip
"""What a row's value in a cursor must not be, and sometimes may."""
CURSORS = [
    "", "a", "=", "💥", "A" * 1_001, encoded("[]"), encoded("null"), encoded("[1,2]"), encoded("[" * 700),
    encoded('["CREATED_DESC",null,null]'), encoded(b"\xff"), encoded("NaN"), encoded('{"a":1,"b":2,"c":3}'),
    encoded('"abc"'),
    cursor("CREATED_DESC", "2026-01-01T00:00:00+00:00", "zz"), cursor("CREATED_DESC", "2026-01-01T00:00:00+00:00", 7),
    cursor(None, None), cursor(["CREATED_DESC"], "x"), cursor("NO_SUCH", "x"),
    *(cursor(order, value) for order in CURSOR_ORDERS for value in VALUES),
]  # fmt: skip
STREAM_CURSORS = [
    *CURSORS[:12], encoded("s1"), encoded("s1..."), encoded("s1.e.1.1"), encoded("s2.e.1.1"), encoded("s1.e.-1.1"),
    encoded("s2.e.1.1.9"), encoded("s3.e.1.1"),
    encoded("s1.e.1.1.1"), encoded(f"s1.e.{'9' * 18}.{'9' * 9}"), encoded("s1.e.1.²"), encoded("s1.e.٣.1"),
    encoded("s1.\x00.1.1"),
]  # fmt: skip
WRONG_TYPES: list[Any] = [None, True, [], {}, [None], [[]], {"a": 1}, [1] * 4_000, ["TODO"] * 4_000, {"__proto__": {}}]

_BY_TYPE: dict[str, list[Any]] = {
    "ID": IDS,
    "String": [*TEXTS, *CURSORS[:30]],
    "Int": NUMBERS,
    "DateTime": INSTANTS,
    "after": [*CURSORS, *STREAM_CURSORS],
    "before": [*CURSORS, *STREAM_CURSORS],
}
_SANE: dict[str, Any] = {"Int": 3, "Float": 1.5, "Boolean": True, "DateTime": "2030-01-01T00:00:00Z", "ID": TASK}
_SANE_INPUTS: dict[str, dict[str, Any]] = {
    "createTask": {"id": NEW_TASK, "parentId": FIRST_TASK, "assigneeId": None},
    "moveTask": {"id": LAST_TASK, "before": FIRST_TASK, "after": None},
    "setTaskParent": {"id": LAST_TASK, "parentId": FIRST_TASK},
    "updateTasks": {"ids": [LAST_TASK], "assigneeId": None},
    "restoreTask": {"id": DELETED_TASK},
    "deleteUser": {"userId": LEAVER, "transferTasksTo": USER, "deleteTasks": False},
}
"""What the input fields of a mutation have in place of the first task."""
_SANE_TEXTS = {
    "email": "new@example.org",
    "password": "Taskriver-1",
    "newPassword": "Taskriver-2",
    "username": "some.user",
    "after": None,
    "before": None,
    "refreshToken": "no-such-token",
    "key": "ABC",
}


@dataclass(frozen=True)
class Operation:
    """A document that asks one field of a root, with a variable for each argument, and variables that are in order."""

    kind: str
    name: str
    text: str
    variables: dict[str, Any]
    kinds: dict[Path, str]

    def __str__(self) -> str:
        return self.name


def client_schema() -> GraphQLSchema:
    """The schema as a client learns it by introspection."""
    return build_client_schema(schema.introspect())  # type: ignore[arg-type]


def operations(*kinds: str) -> list[Operation]:
    """One operation for each field of these roots; fields that come tomorrow are among them."""
    found = client_schema()
    roots = {"query": found.query_type, "mutation": found.mutation_type, "subscription": found.subscription_type}
    return [
        _operation(kind, name, field) for kind in kinds if (root := roots[kind]) for name, field in root.fields.items()
    ]


def _operation(kind: str, name: str, field: GraphQLField) -> Operation:
    kinds: dict[Path, str] = {}
    variables = {key: _sane(argument.type, (key,), kinds) for key, argument in field.args.items()}
    if "last" in variables:
        variables["last"] = None  # a page has one direction; null counts as not given
    if get_named_type(field.type).name == "User" and "id" in variables:
        variables["id"] = USER
    if "Project" in name or name == "project":
        _name_a_project(variables)
    for noun, mark in (("Label", LABEL), ("Comment", COMMENT)):
        if name.endswith(noun) and "id" in variables["input"]:
            variables["input"]["id"] = mark
    if name in _SANE_INPUTS:
        variables["input"] |= _SANE_INPUTS[name]
    declared = ", ".join(f"${key}: {argument.type}" for key, argument in field.args.items())
    passed = ", ".join(f"{key}: ${key}" for key in field.args)
    text = f"{kind}{f'({declared})' if declared else ''} {{ {name}{f'({passed})' if passed else ''}"
    return Operation(kind, name, f"{text}{_selection(get_named_type(field.type), 4, [])} }}", variables, kinds)


def _name_a_project(variables: dict[str, Any]) -> None:
    """The id of a project instead of that of a task; a query takes either an id or a key."""
    if "id" in variables:
        variables |= {"id": PROJECT, "key": None}
    elif "id" in variables["input"]:
        variables["input"]["id"] = PROJECT


def _selection(kind: GraphQLNamedType, depth: int, above: list[GraphQLNamedType]) -> str:
    if is_leaf_type(kind):
        return ""
    fields = [
        f"{name}{selected}"
        for name, field in getattr(kind, "fields", {}).items()
        if name != "edges" and not any(is_required_argument(each) for each in field.args.values())
        if (selected := _inner(get_named_type(field.type), depth, [*above, kind])) is not None
    ]
    inner = " ".join(["__typename", *fields, "... on Task { title }" if getattr(kind, "name", "") == "Node" else ""])
    return f" {{ {inner} }}"


def _inner(kind: GraphQLNamedType, depth: int, above: list[GraphQLNamedType]) -> str | None:
    if is_leaf_type(kind):
        return ""
    if depth > 1 and (is_object_type(kind) or hasattr(kind, "fields")):
        return _selection(kind, 1 if kind in above else depth - 1, above)
    return None


def _sane(kind: Any, path: Path, kinds: dict[Path, str]) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _sane(kind.of_type, path, kinds)
    name = getattr(kind, "name", "list")
    kinds[path] = str(path[-1]) if path[-1] in ("after", "before") and name == "String" else name
    if isinstance(kind, GraphQLList):
        return [_sane(kind.of_type, (*path, 0), kinds)]
    if isinstance(kind, GraphQLInputObjectType):
        return {name: _sane(field.type, (*path, name), kinds) for name, field in kind.fields.items()}
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return _sane_leaf(kind.name, str(path[-1] if isinstance(path[-1], str) else path[-2]))


def _sane_leaf(kind: str, name: str) -> Any:
    if kind == "ID":
        known = dict.fromkeys(("user", "owner", "assignee", "actor"), USER)
        known |= {"session": SESSION, "accessToken": ACCESS_TOKEN, "project": PROJECT, "label": LABEL}
        known |= {"invitation": INVITATION, "identity": IDENTITY}
        return known.get(name.removesuffix("s").removesuffix("Id"), TASK)
    if name in ("expectedVersion", "dueAfter", "dueBefore"):
        return None
    return _SANE_TEXTS.get(name, "some text") if kind == "String" else _SANE[kind]


@st.composite
def variables_for(draw: st.DrawFn, operation: Operation) -> dict[str, Any]:
    """The operation's variables, with something wrong in one or two places."""
    value: dict[str, Any] = json.loads(json.dumps(operation.variables))
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        path = draw(st.sampled_from(sorted(operation.kinds, key=str)))
        _put(value, path, draw(_wrong(operation.kinds[path])))
    return value | draw(st.sampled_from([{}, {}, {}, {"unknown": 1}]))


def _wrong(kind: str) -> st.SearchStrategy[Any]:
    fitting = _BY_TYPE.get(kind, [*WRONG_TYPES, *TEXTS])
    other = [*WRONG_TYPES, *TEXTS, *NUMBERS, *IDS]
    generated = st.text(max_size=30) | st.integers() | st.floats() | st.lists(st.sampled_from(other), max_size=3)
    return st.sampled_from(fitting) | st.sampled_from(fitting) | st.sampled_from(other) | generated


def _put(value: Any, path: Path, new: Any) -> None:
    try:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = new
    except (KeyError, IndexError, TypeError):
        return  # what was put in before ended this path


def dumped(value: object) -> bytes:
    """JSON as Python writes it: with NaN, lone surrogates and integers of any length."""
    return json.dumps(value).encode()


_EDITS = st.tuples(
    st.sampled_from(["flip", "delete", "insert", "double", "cut"]), st.integers(0, 2_000), st.integers(0, 255)
)


def mutated(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes that were in order before something happened to them."""
    return st.builds(_mutate, st.sampled_from(seeds), st.lists(_EDITS, min_size=1, max_size=4))


def _mutate(data: bytes, edits: list[tuple[str, int, int]]) -> bytes:
    for what, place, byte in edits:
        at = place % (len(data) + 1)
        data = {
            "flip": data[:at] + bytes([byte]) + data[at + 1 :],
            "delete": data[:at] + data[at + byte % 8 + 1 :],
            "insert": data[:at] + bytes([byte]) * (byte % 5 + 1) + data[at:],
            "double": data[:at] + data[max(0, at - byte) :],
            "cut": data[:at] if byte < 64 else data,
        }[what]
    return data


def attacks() -> Iterator[tuple[str, str]]:
    """Documents that have brought servers down, by name."""
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(50))
    yield "fragment cycle", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    yield "fragment of itself", "{ ...A } fragment A on Query { me { id } ...A }"
    yield "exponential fragments", f"{{ ...F0 }} {chain} fragment F50 on Query {{ __typename }}"
    yield "unused cycle", "{ __typename } fragment A on User { ...A }"
    yield "aliases", "{ " + " ".join(f"a{n}: __typename" for n in range(1_500)) + " }"
    yield "repeats", "{ " + "__typename " * 1_900 + "}"
    yield "repeated objects", "{ " + "me { id username } " * 300 + "}"
    yield "directives", "{ __typename " + "@skip(if: false) " * 300 + "}"
    yield "unknown directives", "{ __typename " + "@x " * 1_500 + "}"
    yield "nesting", "{ me " * 600 + "}" * 600
    yield "nested lists", "{ tasks(filter: {status: " + "[" * 800 + "]" * 800 + "}) { totalCount } }"
    yield "nested objects", "{ tasks(filter: " + "{a: " * 400 + "1" + "}" * 400 + ") { totalCount } }"
    yield "nested types", "query ($a: " + "[" * 800 + "Int" + "]" * 800 + ") { __typename }"
    yield "nested defaults", "query ($a: TaskFilter = " + "{a: " * 150 + "1" + "}" * 150 + ") { __typename }"
    yield "introspection", "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    circle = "{ fields { type " * 20 + "{ name }" + "} }" * 20
    yield "circular introspection", f'{{ __type(name: "Task") {circle} }}'
    yield "many operations", " ".join(f"query Q{n} {{ __typename }}" for n in range(400))
    yield "same names", "query A { __typename } query A { __typename }"
    yield "many variables", "query (" + " ".join(f"$v{n}: Int" for n in range(400)) + ") { __typename }"
    yield "a long number", "{ tasks(first: " + "9" * 5_000 + ") { totalCount } }"
    yield "a long fraction", "{ tasks(first: 1." + "9" * 5_000 + "e9999) { totalCount } }"
    yield "a long name", "{ " + "a" * 60_000 + " }"
    yield "a long text", '{ task(id: "' + "a" * 60_000 + '") { id } }'
    yield "a long comment", "#" + "a" * 60_000 + "\n{ __typename }"
    yield "commas", "{ __typename " + "," * 60_000 + "}"
    yield "too long", "{ __typename " + " " * 70_000 + "}"
    yield "an escaped NUL", '{ task(id: "\\u0000") { id } }'
    yield "a NUL", '{ assignableUsers(search: "\x00") { id } }'
    yield "a lone surrogate", '{ task(id: "\\uD800") { id } }'
    yield "a wide escape", '{ task(id: "\\u{10FFFF}") { id } }'
    yield "too wide an escape", '{ task(id: "\\u{110000}") { id } }'
    yield "an open block", '{ task(id: """\\"""'
    pages = " ".join(f"a{n}: tasks(first: 100) {{ nodes {{ id }} }}" for n in range(30))
    yield "a page of pages", f"{{ {pages} }}"
    yield "a negative page", "{ tasks(first: -1) { totalCount } }"
    yield "type system", "type Query { a: Int } extend type Query { b: Int }"
    yield "no operation", "fragment A on Query { __typename }"
    yield "a private field", "{ me { row passwordHash password_hash is_current_user } }"
    yield "a resolver's name", "{ me { __class__ __init__ } }"
    yield "defer", "{ ... @defer { me { id } } }"
    yield "two subscriptions", "subscription { taskChanged { cursor } taskStatusChanged { cursor } }"


TOKENS = [
    "{", "}", "(", ")", "[", "]", ":", "!", "|", "&", "=", "...", "@", "$", "#x\n", '"', '"""', "query", "mutation",
    "subscription", "fragment", "on", "me", "task", "tasks", "node", "id", "nodes", "first", "after", "$a", "1",
    "-1", "1.5",
    "null", "true", '"x"', "@skip(if:true)", "@include(if:$a)", "__typename", "__schema", "Task", "User",
    "Query", "F", "...F",
    "... on Task", "{ id }", "{ me { id } }", "query($a: ID!)", "\ufeff", "\x00", "💥", "\\u0041", "--", "..",
]  # fmt: skip

CONTENT_TYPES = [
    "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql",
    "application/json; charset=utf-16", "application/json; charset=utf-7", "application/json;charset=\"utf-8\"",
    "*/*",
    "application/json, text/plain", "text/plain; application/json", "application/json; charset*=%ff%fe''x",
    "a" * 5_000,
    "application/json; charset*0*=utf-8'en'a; charset*1=b", "application/json;;;=;", "\xff\xfe", "APPLICATION/JSON",
    "application/json\r\nx: y", "application/json; charset=", "application/graphql-response+json",
]  # fmt: skip
ACCEPTS = [
    "", "*/*", "text/html", "application/json;q=nan", "application/json;q=1e999", "application/json;q=-1",
    ",,;;,", "\xff",
    "application/graphql-response+json", "application/json;q=0", "image/*", ";q=1", "a/b;" * 500,
    "text/html,*/*;q=0.1",
    "application/graphql-response+json;charset=utf-8, application/json;q=0.9", "multipart/mixed", "text/event-stream",
]  # fmt: skip
AUTHORIZATIONS = [
    "", "Bearer", "Bearer ", "bearer @token@x", "Bearer @token@ @token@", "Basic YTpi", "Bearer \xff\xfe",
    "Bearer a.b.c", "\x00",
    "Bearer " + "a" * 5_000, "Bearer ..", "Token @token@", "Bearer @token@.", "BEARER\t@token@", "Bearer null",
    "@token@",
    f"Bearer {encoded('[' * 2_900)}.{encoded('{}')}.x",
    f"Bearer {encoded(json.dumps({'alg': 'none', 'typ': 'at+jwt', 'kid': 'dev'}))}.{encoded('{}')}.",
    f"Bearer {encoded(json.dumps({'alg': 'HS256', 'typ': 'at+jwt', 'kid': ['dev']}))}.{encoded('{}')}.x",
    f"Bearer {encoded(json.dumps({'alg': 'HS256', 'typ': 'at+jwt', 'kid': '../../dev/null'}))}.{encoded('{}')}.x",
    f"Bearer {encoded(json.dumps({'alg': 'HS256', 'typ': 'at+jwt', 'kid': 'dev', 'b64': False, 'crit': ['b64']}))}.e.x",
]  # fmt: skip
OTHER_HEADERS = [
    ("x-request-id", "a\r\nx-evil: 1"),
    ("x-request-id", "\x1b[31m"), ("x-request-id", "a" * 65), ("x-forwarded-for", "\xff, ,,:::"),
    ("x-forwarded-for", "1.2.3.4, 5.6.7.8"), ("x-forwarded-proto", "\x00"), ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", "http://[::1"), ("host", "\xff\xfe"), ("host", ""), ("cookie", "refresh_token=\xff; =;; a"),
    ("content-encoding", "gzip"),
    ("cookie", "refresh_token=" + "a" * 5_000), ("content-length", "-1"), ("content-length", "9" * 30),
    ("content-length", "²"),
    ("user-agent", "\x00\x1b[31m\r\n" * 200), ("accept-language", "\xff"), ("transfer-encoding", "gzip, chunked"),
]  # fmt: skip
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "post", "G\xcbT"]
