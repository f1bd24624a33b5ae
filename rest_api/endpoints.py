"""The table of all operations, for routing and for the OpenAPI document."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rest_api import session, task, user
from rest_api.operation import RestOperation

PREFIX: Final = "/api/v1"
OPERATIONS: Final[tuple[RestOperation, ...]] = (*user.OPERATIONS, *session.OPERATIONS, *task.OPERATIONS)
PATHS: Final = tuple(dict.fromkeys(operation.path for operation in OPERATIONS))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path with its operations by method."""

    path: re.Pattern[str]
    operations: Mapping[str, RestOperation]

    @property
    def allow(self) -> bytes:
        """The value of the header `Allow`."""
        return ", ".join(sorted({*self.operations, "OPTIONS"})).encode("ascii")


@dataclass(frozen=True, slots=True)
class Found:
    """An endpoint and the parameters from the path."""

    endpoint: Endpoint
    params: Mapping[str, str]


def find(path: str) -> Found | None:
    """The endpoint for a path below the prefix, with or without a slash at its end."""
    for endpoint in _ENDPOINTS:
        if match := endpoint.path.fullmatch(path):
            return Found(endpoint, match.groupdict())
    return None


def _endpoints(operations: Sequence[RestOperation]) -> list[Endpoint]:
    methods: dict[str, dict[str, RestOperation]] = {}
    for operation in operations:
        here = methods.setdefault(operation.path.rstrip("/"), {})
        for method in operation.methods:
            here[method] = operation
            if method == "GET":
                here["HEAD"] = operation
    return [Endpoint(_pattern(path), found) for path, found in methods.items()]


def _pattern(path: str) -> re.Pattern[str]:
    literal = "".join(
        f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path)
    )
    return re.compile(literal + "/?")


_ENDPOINTS: Final = _endpoints(OPERATIONS)
