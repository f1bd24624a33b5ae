"""The description of the door as OpenAPI 3.1, made of the table that it is served from."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from domain.idempotency import MAX_KEY
from graphql_api.auth.cookies import REFRESH_COOKIE
from rest_api.endpoints import OPERATIONS, PREFIX
from rest_api.errors import Detail, FieldProblem, Problems
from rest_api.etags import MAX_TAGS
from rest_api.operation import NoParams, Operation, Refused, Reply, Security
from rest_api.refusals import refusals

Json = dict[str, Any]

LOGIN: Final = f"{PREFIX}/auth/login/"

_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = """\
The REST API of Taskriver, for clients of FastAPI Task Manager. New clients use [GraphQL](/graphql). [Start page](/)

**Signing in.** `POST /api/v1/auth/login/` gives an access token for 15 minutes; send it as `Authorization: Bearer …`.
The refresh token that came with it is in an HttpOnly cookie, and `POST /api/v1/auth/refresh/` continues the session.

**Paths** work with and without their last slash, and are never redirected. HEAD works wherever GET does.

**Lost updates.** A task's `ETag` is its version; send it back as `If-Match`, and an outdated change gets 412.

**Lost answers.** Give a change an `Idempotency-Key` of its own, and send it again under that key until it is answered:
for at least 24 hours it is made once, and answered with the task as it is by then. Refusals are not kept.

**Errors** are `{"detail": "…"}`; values that break a rule are 422 with a list of fields. An answer's `X-Request-ID` is
in the log. 503 means that the same request may be sent again. What another site's page sends is 403, unless its origin
is allowed.

**Live.** `/ws/tasks/{client_id}`, a WebSocket, sends an event when the status of a task changes. Authenticate with the
header or by a first message `{"type": "auth", "token": "…"}`; resume with `?after=<cursor>`.
"""

_TAGS: Final = {
    "auth": "Registering, signing in, staying signed in, signing out.",
    "users": "Users.",
    "tasks": "Tasks: your own, and those that are assigned to you; moderators and admins see all.",
}
_HEADERS: Final[dict[str, Json]] = {
    "Cache-Control": {"description": "`no-store`.", "schema": {"type": "string"}},
    "Pragma": {"description": "`no-cache`.", "schema": {"type": "string"}},
    "ETag": {"description": "The task's version, in quotes.", "schema": {"type": "string"}, "example": '"1"'},
    "Location": {"description": "Where the new task is.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before the next try.", "schema": {"type": "integer"}},
    "Set-Cookie": {"description": "The refresh token's cookie.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}},
}
# Examples stand in the schema, not beside it: Swagger UI would fill in what stands beside it, and whoever tried twice
# would send a used key and an old version.
_TAGS_SCHEMA: Final[Json] = {
    "type": "string",
    "pattern": r'^(\*|(W/)?"[0-9]{1,9}"(, ?(W/)?"[0-9]{1,9}")*)$',
    "maxLength": MAX_TAGS,
    "examples": ['"1"'],
}
_REQUEST_HEADERS: Final[dict[str, Json]] = {
    "If-Match": {
        "description": "Change the task only if it is at one of these versions: `*`, or ETags separated by commas.",
        "schema": _TAGS_SCHEMA,
    },
    "If-None-Match": {
        "description": "Answer 304 if the task is still at one of these versions.",
        "schema": _TAGS_SCHEMA,
    },
    "Idempotency-Key": {
        "description": "The client's name for this request; sent again under it, it is made once.",
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
    """The whole description; *version* is the application's."""
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
    """The same as JSON."""
    return orjson.dumps(document(version))


def _schemas() -> tuple[dict[type[BaseModel], Json], Json]:
    """Every model's reference, and what they refer to."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((operation.body, "validation") for operation in OPERATIONS if operation.body is not None),
        *((operation.reply.model, "serialization") for operation in OPERATIONS if operation.reply.model is not None),
        (Detail, "serialization"),
        (Problems, "serialization"),
    ]
    found, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    return {model: found[model, mode] for model, mode in models}, definitions["$defs"]


def _operation(operation: Operation, method: str, names: dict[type[BaseModel], Json]) -> Json:
    main = method == operation.methods[0]
    described: Json = {
        "operationId": operation.name if main else f"{operation.name}_{method.lower()}",
        "tags": [operation.tag],
        "summary": operation.summary if main else f"{operation.summary} (as {method})",
        "description": operation.text or operation.summary,
        "security": _SECURITY[operation.door],
        "responses": _responses(operation, method, names),
    }
    if parameters := [*_parameters(operation), *map(_request_header, operation.headers)]:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = _request_body(operation, operation.body, names)
    return described


def _request_body(operation: Operation, body: type[BaseModel], names: dict[type[BaseModel], Json]) -> Json:
    media = ("application/x-www-form-urlencoded", "multipart/form-data") if operation.is_form else ("application/json",)
    content = {"schema": names[body], "example": _example(body)}
    return {"required": True, "content": dict.fromkeys(media, content)}


def _parameters(operation: Operation) -> Iterator[Json]:
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


def _responses(operation: Operation, method: str, names: dict[type[BaseModel], Json]) -> Json:
    responses: Json = {str(operation.reply.status): _success(operation.reply, names)}
    if "If-None-Match" in operation.headers:
        responses["304"] = {"description": "It has not changed.", "headers": {"ETag": _HEADERS["ETag"]}}
    for status, group in groupby(sorted(refusals(operation, method), key=_status), key=_status):
        responses[str(status)] = _refused(list(group), names)
    if operation.problem is not None:
        problem = FieldProblem(field=operation.problem.field, message=operation.problem.message)
        example = Problems(details=[problem]).model_dump()
        responses["422"] = {
            "description": "A value breaks a rule.",
            "content": {"application/json": {"schema": names[Problems], "example": example}},
        }
    return dict(sorted(responses.items()))


def _success(reply: Reply, names: dict[type[BaseModel], Json]) -> Json:
    described: Json = {"description": reply.text}
    if reply.headers:
        described["headers"] = {name: _HEADERS[name] for name in reply.headers}
    if reply.model is not None:
        schema, example = names[reply.model], _example(reply.model)
        content = {"schema": {"type": "array", "items": schema}, "example": [example]}
        described["content"] = {"application/json": content if reply.many else {"schema": schema, "example": example}}
    return described


def _refused(group: list[Refused], names: dict[type[BaseModel], Json]) -> Json:
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
            "description": "Sign in with name and password; leave the client's id and secret empty.",
            "flows": {"password": {"tokenUrl": LOGIN, "scopes": {}}},
        },
        "refresh": {
            "type": "apiKey",
            "in": "cookie",
            "name": REFRESH_COOKIE,
            "description": "Set by signing in; HttpOnly.",
        },
    }


def _example(model: type[BaseModel]) -> Any:
    extra: Any = model.model_config["json_schema_extra"]
    return extra["examples"][0]


def _status(refused: Refused) -> int:
    return refused.status
