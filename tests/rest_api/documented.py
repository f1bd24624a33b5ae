"""Compares each answer of the REST API that a test sees with the description."""

from typing import Final

import httpx

from rest_api.endpoints import PREFIX, find
from rest_api.openapi import document

DOCUMENT: Final = document("1.2.3")


class Undocumented(AssertionError):
    """An endpoint has answered with a status that the description does not name."""


async def check_documented(response: httpx.Response) -> None:
    """For a client's `event_hooks`: an answer of an endpoint has a status that its description names.

    What is answered before an endpoint is found (another path, another method, OPTIONS) has no description, nor has a
    fault of the server.
    """
    method, path = response.request.method, response.request.url.path
    found = find(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
    operation = found.endpoint.operations.get(method) if found is not None else None
    if operation is None or response.status_code == 500:
        return
    described = DOCUMENT["paths"][PREFIX + operation.path]["get" if method == "HEAD" else method.lower()]
    if str(response.status_code) not in described["responses"]:
        raise Undocumented(f"{method} {operation.path} has answered {response.status_code}")


HOOKS: Final = {"response": [check_documented]}
"""For clients that ask the REST API."""
