"""The description is valid, describes exactly what there is, and every example in it is true."""

import json
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from rest_api.endpoints import OPERATIONS, PREFIX, find
from rest_api.operation import ErrorResponse, Problem, RestOperation
from rest_api.refusals import refusals
from tests.rest_api.documented import DOCUMENT, Undocumented, check_documented
from tests.rest_api.error_triggers import PROVOCATIONS, Offender, refuse
from tests.rest_api.support import Rest

DESCRIBED = [
    pytest.param(path, method, id=f"{method} {path}") for path, item in DOCUMENT["paths"].items() for method in item
]
REFUSED = [
    pytest.param(operation, each, id=f"{operation.name}-{each.detail if isinstance(each, ErrorResponse) else 422}")
    for operation in OPERATIONS
    for each in (*refusals(operation, operation.methods[0]), *([operation.problem] if operation.problem else ()))
]


def described(path: str, method: str) -> dict[str, Any]:
    """One operation of the document."""
    found: dict[str, Any] = DOCUMENT["paths"][path][method]
    return found


def operation_of(path: str, method: str) -> RestOperation:
    """What is served there."""
    found = find(path.removeprefix(PREFIX))
    assert found is not None
    return found.endpoint.operations[method.upper()]


def check(schema: dict[str, Any], value: object) -> None:
    """The value matches the schema, with formats."""
    whole = schema | {"components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


class TestDocument:
    async def test_the_description_is_valid(self, rest: Rest):
        """/openapi.json is valid OpenAPI 3.1, with the version of the application."""
        response = await rest.client.get("/openapi.json")
        served = response.json()
        OpenAPIV31SpecValidator(served).validate()
        assert response.headers["content-type"].startswith("application/json")
        assert served | {"info": None} == json.loads(json.dumps(DOCUMENT | {"info": None}))
        assert served["info"]["version"]

    def test_every_route_is_described(self):
        """Each documented method is served by its operation, and the reverse."""
        documented = {(path, method.upper()) for path, item in DOCUMENT["paths"].items() for method in item}
        served = {(PREFIX + operation.path, method) for operation in OPERATIONS for method in operation.methods}
        assert documented == served
        assert len(DOCUMENT["paths"]) == 9
        for path, method in documented:
            assert described(path, method.lower())["operationId"].startswith(operation_of(path, method).name)

    @pytest.mark.parametrize(("path", "method"), DESCRIBED)
    async def test_options_lists_the_documented_methods(self, rest: Rest, path: str, method: str):
        """With HEAD and OPTIONS, with and without the slash."""
        expected = {name.upper() for name in DOCUMENT["paths"][path]}
        for spelling in {path, path.rstrip("/"), path.rstrip("/") + "/"}:
            response = await rest.client.options(spelling.replace("{task_id}", "x"))
            assert set(response.headers["allow"].split(", ")) - {"HEAD", "OPTIONS"} == expected

    def test_names_are_unique_and_everything_is_described(self):
        """No two operations share an id, and each has a summary, a tag and a description."""
        operations = [described(*case.values) for case in DESCRIBED]  # type: ignore[arg-type]
        assert len({each["operationId"] for each in operations}) == len(operations) == 14
        tags = {tag["name"] for tag in DOCUMENT["tags"]}
        for each in operations:
            assert each["summary"]
            assert each["description"]
            assert set(each["tags"]) <= tags
            assert all(parameter["description"] for parameter in each.get("parameters", ()))
        for schema in DOCUMENT["components"]["schemas"].values():
            assert schema["description"]
            assert all(value.get("description") for value in schema.get("properties", {}).values())

    def test_authorize_has_somewhere_to_go(self):
        """The password flow's address is an operation of this document that takes its form."""
        flow = DOCUMENT["components"]["securitySchemes"]["bearer"]["flows"]["password"]
        login = described(flow["tokenUrl"], "post")
        assert "application/x-www-form-urlencoded" in login["requestBody"]["content"]


class TestExamples:
    @pytest.mark.parametrize(("path", "method"), DESCRIBED)
    async def test_every_example_is_sent_and_answered_as_documented(
        self, rest: Rest, path: str, method: str, monkeypatch: pytest.MonkeyPatch
    ):
        """The documented request gets the documented status, an answer of the documented shape, and its headers."""
        operation, description = operation_of(path, method), described(path, method)
        for media, content in description.get("requestBody", {"content": {None: None}})["content"].items():
            offender = Offender(rest, await rest.a_visitor(), operation, monkeypatch)
            if operation.name == "list_tasks":
                await offender.own_task()
            request = content and {"json": offender.example()}
            if content:
                check(content["schema"], content["example"])
                assert set(content["example"]) == set(offender.example())
            if media == "application/x-www-form-urlencoded":
                request = {"data": offender.example()}
            elif media == "multipart/form-data":
                request = {"data": {}, "files": {name: (None, text) for name, text in offender.example().items()}}
            response = await offender.send(**(request or {}))
            reply = description["responses"][str(operation.reply.status)]
            assert response.status_code == operation.reply.status, response.text
            assert {name.lower() for name in reply.get("headers", ())} <= set(response.headers)
            assert_like(reply, response)

    @pytest.mark.parametrize(("operation", "refused"), REFUSED)
    async def test_every_documented_error_occurs(
        self, rest: Rest, operation: RestOperation, refused: ErrorResponse | Problem, monkeypatch: pytest.MonkeyPatch
    ):
        """With its status, its message and its headers."""
        offender = Offender(rest, await rest.a_visitor(), operation, monkeypatch)
        response = await refuse(offender, refused)
        if isinstance(refused, Problem):
            assert response.status_code == 422
            assert {"field": refused.field, "message": refused.message} in response.json()["details"]
            return
        assert (response.status_code, response.json()) == (refused.status, {"detail": refused.detail})
        assert {name.lower() for name in refused.headers} <= set(response.headers)

    def test_every_provocation_is_documented(self):
        """Nothing is provoked that the description does not know."""
        documented = {each.detail for operation in OPERATIONS for each in refusals(operation, operation.methods[0])}
        assert documented == set(PROVOCATIONS)

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [("GET", "/tasks/", 418), ("POST", "/tasks", 412), ("HEAD", "/users/about_me/", 404), ("GET", "/tasks/x", 412)],
    )
    async def test_every_answer_that_a_test_sees_is_compared(self, method: str, path: str, status: int):
        """The clients of these tests notice a status that is not documented for its endpoint."""
        response = httpx.Response(status, request=httpx.Request(method, f"http://testserver{PREFIX}{path}"))
        with pytest.raises(Undocumented):
            await check_documented(response)

    async def test_304_is_documented(self, rest: Rest, monkeypatch: pytest.MonkeyPatch):
        """The only response that is neither a success nor an error."""
        description = described(f"{PREFIX}/tasks/{{task_id}}", "get")
        operation = operation_of(f"{PREFIX}/tasks/x", "get")
        offender = Offender(rest, await rest.a_visitor(), operation, monkeypatch)
        response = await offender.send(headers={"if-none-match": '"1"'})
        assert str(response.status_code) in description["responses"]
        assert response.headers["etag"] == '"1"'


def assert_like(reply: dict[str, Any], response: httpx.Response) -> None:
    """The answer is valid, and has the same keys as the example, which is valid, too."""
    if "content" not in reply:
        assert response.content == b""
        return
    content = reply["content"]["application/json"]
    for value in (content["example"], response.json()):
        check(content["schema"], value)
    assert shape(response.json()) == shape(content["example"])


def shape(value: object) -> object:
    """The keys of an object, or of the objects of an array."""
    if isinstance(value, list):
        return [shape(value[0])]
    assert isinstance(value, dict)
    return list(value)
