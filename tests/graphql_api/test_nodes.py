"""Lists of ids: a malformed one does not affect the others, and every error names its id."""

from typing import Any
from uuid import uuid4

import pytest

from domain.user import Role
from graphql_api.execution.execution_context import MAX_FAILED_FIELDS
from graphql_api.schema.ids import encode_id
from tests.support.api import Api

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
SPOILT = ("x", "", " ", "💥", "A" * 200)


class TestNodes:
    async def test_a_malformed_id_is_null_and_an_error_at_its_place(self, api: Api):
        """The other entries are answered, whether the document is new or known."""
        user = await api.a_user()
        task = encode_id("Task", (await api.build.a_task(user)).id)
        for _ in range(3):
            answer = await api.ask(NODES, user, ids=[task, "x", encode_id("Task", uuid4()), f" {task}", task])
            assert answer.body["data"] == {"nodes": [{"id": task}, None, None, None, {"id": task}]}
            assert [(each["path"], each["extensions"]["code"], each["message"]) for each in answer.body["errors"]] == [
                (
                    ["nodes", place],
                    "BAD_REQUEST",
                    f"`ids[{place}]` is not an id of this API: use an id from an `id` field of a response.",
                )
                for place in (1, 3)
            ]
            assert all(each["locations"] for each in answer.body["errors"])

    async def test_an_empty_list(self, api: Api):
        """The result is an empty list."""
        assert (await api.ask(NODES, await api.a_user(), ids=[])).data == {"nodes": []}

    @pytest.mark.parametrize(
        "document",
        [
            "query ($ids: [ID!]!) { " + " ".join(f"a{n}: nodes(ids: $ids) {{ id }}" for n in range(30)) + " }",
            "query ($off: Boolean) { __schema { types { "
            + " ".join(f"a{n}: enumValues(includeDeprecated: $off) {{ name }}" for n in range(29))
            + " } } }",
        ],
        ids=["malformed ids", "a null where none may be"],
    )
    async def test_a_query_that_fails_in_thousands_of_places_is_stopped(self, api: Api, document: str):
        """One wrong variable fails a few hundred fields, and not thousands."""
        answer = await api.ask(document, await api.a_user(), ids=["x"] * 100, off=None)
        assert answer.body["data"] is None
        assert answer.codes == ["TOO_EXPENSIVE"] + ["BAD_REQUEST"] * (len(answer.codes) - 1)
        assert len(answer.codes) == MAX_FAILED_FIELDS + 1
        assert "stopped" in answer.body["errors"][0]["message"]

    async def test_each_malformed_id_is_reported(self, api: Api):
        """Even if all of a hundred are malformed."""
        answer = await api.ask(NODES, await api.a_user(), ids=["x"] * 100)
        assert len(answer.body["errors"]) == 100


IN_INPUTS = [
    ("query ($id: ID!) { task(id: $id) { id } }", lambda text: {"id": text}, "id", "Task"),
    ("query ($id: ID!) { user(id: $id) { id } }", lambda text: {"id": text}, "id", "User"),
    (
        "query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }",
        lambda text: {"f": {"ownerId": text}},
        "ownerId",
        "User",
    ),
    (
        "query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }",
        lambda text: {"f": {"assigneeId": text}},
        "assigneeId",
        "User",
    ),
    *(
        (
            f"mutation ($i: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $i) {{ userErrors {{ code }} }} }}",
            lambda text, field=field, others=others: {"i": others | {field: text}},
            field,
            kind,
        )
        for name, field, kind, others in (
            ("createTask", "assigneeId", "User", {"title": "x"}),
            ("updateTask", "id", "Task", {}),
            ("updateTaskStatus", "id", "Task", {"status": "DONE"}),
            ("assignTask", "id", "Task", {}),
            ("deleteTask", "id", "Task", {}),
            ("revokeSession", "sessionId", "Session", {}),
            ("revokeAccessToken", "accessTokenId", "AccessToken", {}),
            ("unlinkIdentity", "identityId", "Identity", {}),
            ("setUserRole", "userId", "User", {"role": "USER"}),
            ("setUserActive", "userId", "User", {"isActive": True}),
        )
    ),
]


class TestIds:
    @pytest.mark.parametrize(("document", "variables", "field", "kind"), IN_INPUTS, ids=[each[0] for each in IN_INPUTS])
    async def test_an_error_names_the_field(self, api: Api, document: str, variables: Any, field: str, kind: str):
        """What is no id, and the id of another type, are refused with the name of the argument or input field."""
        admin = await api.a_user(Role.ADMIN)
        for spoilt in SPOILT:
            (error,) = (await api.ask(document, admin, **variables(spoilt))).body["errors"]
            assert error["message"].startswith(f"`{field}` is not an id of this API: use")
            assert error["extensions"] == {"code": "BAD_REQUEST"}
        other = "Session" if kind == "User" else "User"
        (error,) = (await api.ask(document, admin, **variables(encode_id(other, uuid4())))).body["errors"]
        assert error["message"] == f"`{field}` is the id of a {other}; use the id of a {kind}."
