"""What a response says: ALLOWED, the code of a refusal, or NOT_FOUND if nothing is shown."""

from typing import Any, Final

import orjson

from tests.probes.operation import Operation
from tests.probes.oracle import ALLOWED, FORBIDDEN, INVALID, NOT_FOUND
from tests.probes.scene import Scene

UNEXPECTED: Final = "UNEXPECTED"
_OF_REFUSALS: Final = frozenset({"userErrors", "taskId"})
"""The fields of a refusal. The id is that of the request."""
_OF_STATUS: Final = {404: NOT_FOUND, 403: FORBIDDEN, 422: INVALID, 401: "UNAUTHENTICATED", 412: "CONFLICT"}


def of_graphql(body: dict[str, Any], operation: Operation, scene: Scene) -> str:
    """The answer of a GraphQL response."""
    if "errors" in body:
        return str(body["errors"][0]["extensions"]["code"])
    [value] = body["data"].values()
    if isinstance(value, dict) and "userErrors" in value:
        return _of_payload(value, operation, scene)
    if operation.shows(value, scene):
        return ALLOWED
    return NOT_FOUND if _is_empty(value) else UNEXPECTED


def of_rest(status: int, body: bytes, operation: Operation, scene: Scene) -> str:
    """The answer of a REST response."""
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    value = orjson.loads(body) if body else None
    return ALLOWED if status in (200, 204, 304) and operation.shows(value, scene) else f"{UNEXPECTED} {status}"


def _of_payload(payload: dict[str, Any], operation: Operation, scene: Scene) -> str:
    if payload["userErrors"]:
        return refusal_of(payload)
    if "results" in payload and payload["results"][0]["userErrors"]:
        return refusal_of(payload["results"][0])
    return ALLOWED if operation.shows(payload, scene) else UNEXPECTED


def refusal_of(payload: dict[str, Any]) -> str:
    """The code of the refusal in a payload, or in the result for one of several objects, which shows nothing else."""
    others = [value for name, value in payload.items() if name not in _OF_REFUSALS and value is not None]
    return UNEXPECTED if others else str(payload["userErrors"][0]["code"])


def _is_empty(value: Any) -> bool:
    if isinstance(value, dict) and "nodes" in value:
        facts = [value.get("totalCount"), *value.get("pageInfo", {}).values()]
        return not value["nodes"] and not any(facts)
    return value in (None, [], [None])
