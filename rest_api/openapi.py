"""The OpenAPI 3.1 document of the REST API. It is generated from the same table that serves the requests."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from domain.idempotency import MAX_KEY
from graphql_api.auth.cookies import REFRESH_COOKIE
from rest_api.endpoints import OPERATIONS, PREFIX
from rest_api.errors import Detail, FieldProblem, ValidationProblems
from rest_api.etags import MAX_TAGS
from rest_api.operation import ErrorResponse, NoParams, RestOperation, Security, SuccessResponse
from rest_api.refusals import refusals

Json = dict[str, Any]

LOGIN: Final = f"{PREFIX}/auth/login/"

_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = """\
The REST API of Taskriver, for clients of FastAPI Task Manager. New clients use [GraphQL](/graphql). [Start page](/)

**Sign in.** `POST /api/v1/auth/login/` returns an access token for 15 minutes. Send it as `Authorization: Bearer …`.
The refresh token is in an HttpOnly cookie; `POST /api/v1/auth/refresh/` uses it to continue the session.

A personal access token (`trv_pat_…`) works instead, within its scopes; create it with the GraphQL mutation
`createAccessToken`.

**Paths** work with and without a slash at the end, without redirects. HEAD works wherever GET works.

**Lost updates.** The `ETag` of a task is its version. Send it back as `If-Match`; then a change of an outdated version
gets 412.

**Lost responses.** Send each change with a new `Idempotency-Key`. If there is no response, repeat the request with the
same key: for at least 30 days the change is made only once, and the response has the current task. Error responses are
not stored.

**Errors** are `{"detail": "…"}`. Values that break a rule get 422 with a list of fields. The log has the `X-Request-ID`
of the response. After 503 you can repeat the same request. Requests from pages of other sites get 403, unless their
origin is allowed.

**Live events.** The WebSocket `/ws/tasks/{client_id}` sends an event when the status of a task changes. Authenticate
with the header or with a first message `{"type": "auth", "token": "…"}`; resume with `?after=<cursor>`.
"""

_TAGS: Final = {
    "auth": "Register, sign in, refresh a session, sign out.",
    "users": "Users.",
    "tasks": "The tasks that you own or that are assigned to you. Moderators and admins see all tasks.",
}
_HEADERS: Final[dict[str, Json]] = {
    "Cache-Control": {"description": "`no-store`.", "schema": {"type": "string"}},
    "Pragma": {"description": "`no-cache`.", "schema": {"type": "string"}},
    "ETag": {"description": "The task's version, in quotes.", "schema": {"type": "string"}, "example": '"1"'},
    "Location": {"description": "The path of the new task.", "schema": {"type": "string"}},
    "RateLimit": {
        "description": "What remains of the limits of changes: `r` changes until the window ends in `t` seconds.",
        "schema": {"type": "string"},
        "example": '"user";r=59999;t=60',
    },
    "RateLimit-Policy": {
        "description": "The limits of changes, of the user and of the token: `q` changes in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"user";q=60000;w=60',
    },
    "Retry-After": {"description": "Seconds to wait before the next attempt.", "schema": {"type": "integer"}},
    "Set-Cookie": {"description": "The refresh token's cookie.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}},
}
# The examples are inside the schema. Swagger UI would fill in an example beside the schema, and a second request would
# send a used key and an old version.
_TAGS_SCHEMA: Final[Json] = {
    "type": "string",
    "pattern": r'^(\*|(W/)?"[0-9]{1,9}"(, ?(W/)?"[0-9]{1,9}")*)$',
    "maxLength": MAX_TAGS,
    "examples": ['"1"'],
}
_REQUEST_HEADERS: Final[dict[str, Json]] = {
    "If-Match": {
        "description": "Change the task only if it has one of these versions: `*`, or ETags separated by commas.",
        "schema": _TAGS_SCHEMA,
    },
    "If-None-Match": {
        "description": "Respond with 304 if the task still has one of these versions.",
        "schema": _TAGS_SCHEMA,
    },
    "Idempotency-Key": {
        "description": "The client's key for this request. Repeated requests with the same key are executed once.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_KEY,
            "pattern": "^[!-~]+$",
            "examples": ["0199e2a6-4b0d-7c35-8d21-3f5e6a7b8c90"],
        },
    },
}
_SECURITY: Final[dict[Security, list[Json]]] = {
    Security.PUBLIC: [],
    Security.BEARER: [{"bearer": []}],
    Security.COOKIE: [{"refresh": []}],
    Security.BEARER_AND_COOKIE: [{"bearer": [], "refresh": []}],
}


def document(version: str) -> Json:
    """The OpenAPI document; *version* is the version of the application."""
    names, schemas = _schemas()
    paths: Json = {}
    for operation in OPERATIONS:
        for method in operation.methods:
            here = paths.setdefault(PREFIX + operation.path, {})
            here[method.lower()] = _operation(operation, method, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Taskriver REST",
            "version": version,
            "summary": "A task API with a live stream of changes.",
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _security_schemes()},
    }


def document_bytes(version: str) -> bytes:
    """The document as JSON."""
    return orjson.dumps(document(version))


def _schemas() -> tuple[dict[type[BaseModel], Json], Json]:
    """The reference of each model, and the definitions."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((operation.body, "validation") for operation in OPERATIONS if operation.body is not None),
        *((operation.reply.model, "serialization") for operation in OPERATIONS if operation.reply.model is not None),
        (Detail, "serialization"),
        (ValidationProblems, "serialization"),
    ]
    found, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    return {model: found[model, mode] for model, mode in models}, definitions["$defs"]


def _operation(operation: RestOperation, method: str, names: dict[type[BaseModel], Json]) -> Json:
    main = method == operation.methods[0]
    described: Json = {
        "operationId": operation.name if main else f"{operation.name}_{method.lower()}",
        "tags": [operation.tag],
        "summary": operation.summary if main else f"{operation.summary} (as {method})",
        "description": operation.text or operation.summary,
        "security": _SECURITY[operation.security],
        "responses": _responses(operation, method, names),
    }
    if parameters := [*_parameters(operation), *map(_request_header, operation.headers)]:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = _request_body(operation, operation.body, names)
    return described


def _request_body(operation: RestOperation, body: type[BaseModel], names: dict[type[BaseModel], Json]) -> Json:
    media = ("application/x-www-form-urlencoded", "multipart/form-data") if operation.is_form else ("application/json",)
    content = {"schema": names[body], "example": _example(body)}
    return {"required": True, "content": dict.fromkeys(media, content)}


def _parameters(operation: RestOperation) -> Iterator[Json]:
    if operation.params is NoParams:
        return
    schema = operation.params.model_json_schema()
    for name, described in schema["properties"].items():
        in_path = f"{{{name}}}" in operation.path
        text = described.pop("description")
        described.pop("title")
        yield {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path,
            "description": text,
            "schema": described,
        }


def _request_header(name: str) -> Json:
    return {"name": name, "in": "header", "required": False, **_REQUEST_HEADERS[name]}


def _responses(operation: RestOperation, method: str, names: dict[type[BaseModel], Json]) -> Json:
    responses: Json = {str(operation.reply.status): _success(operation.reply, names)}
    if "If-None-Match" in operation.headers:
        responses["304"] = {"description": "The task has not changed.", "headers": {"ETag": _HEADERS["ETag"]}}
    for status, group in groupby(sorted(refusals(operation, method), key=_status), key=_status):
        responses[str(status)] = _refused(list(group), names)
    if operation.problem is not None:
        problem = FieldProblem(field=operation.problem.field, message=operation.problem.message)
        example = ValidationProblems(details=[problem]).model_dump()
        responses["422"] = {
            "description": "A value breaks a rule.",
            "content": {"application/json": {"schema": names[ValidationProblems], "example": example}},
        }
    return dict(sorted(responses.items()))


def _success(reply: SuccessResponse, names: dict[type[BaseModel], Json]) -> Json:
    described: Json = {"description": reply.text}
    if reply.headers:
        described["headers"] = {name: _HEADERS[name] for name in reply.headers}
    if reply.model is not None:
        schema, example = names[reply.model], _example(reply.model)
        content = {"schema": {"type": "array", "items": schema}, "example": [example]}
        described["content"] = {"application/json": content if reply.many else {"schema": schema, "example": example}}
    return described


def _refused(group: list[ErrorResponse], names: dict[type[BaseModel], Json]) -> Json:
    described: Json = {
        "description": "; ".join(each.when for each in group) + ".",
        "content": {
            "application/json": {
                "schema": names[Detail],
                "examples": {each.when: {"value": {"detail": each.detail}} for each in group},
            }
        },
    }
    if headers := {name: _HEADERS[name] for each in group for name in each.headers}:
        described["headers"] = headers
    return described


def _security_schemes() -> Json:
    return {
        "bearer": {
            "type": "oauth2",
            "description": "Sign in with username and password. Leave the client's id and secret empty.",
            "flows": {"password": {"tokenUrl": LOGIN, "scopes": {}}},
        },
        "refresh": {
            "type": "apiKey",
            "in": "cookie",
            "name": REFRESH_COOKIE,
            "description": "Set by the sign-in; HttpOnly.",
        },
    }


def _example(model: type[BaseModel]) -> Any:
    extra: Any = model.model_config["json_schema_extra"]
    return extra["examples"][0]


def _status(refused: ErrorResponse) -> int:
    return refused.status
