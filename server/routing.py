"""A router with a fast path for the most frequent requests."""

from collections.abc import Awaitable, Mapping
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send


class FastRouter:
    """Passes connections at one *path* directly to the application for their type, and all others to the router.

    The router would check every route and wrap the result in several layers: a fifth of the time of a request that is
    answered in a tenth of a millisecond.
    """

    def __init__(self, path: str, applications: Mapping[str, ASGIApp], router: ASGIApp) -> None:
        self._path: Final = path
        self._applications = applications
        self._router = router

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection."""
        if scope.get("path") != self._path:
            return self._router(scope, receive, send)
        return self._applications.get(scope["type"], self._router)(scope, receive, send)
