"""The first to see a request: what is asked most has the shortest way."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send


class Front:
    """Hands requests at one *path* to their application at once, and all others to the router.

    A router looks at every route, and wraps what it finds in a few layers; of a request that is answered in a tenth of
    a millisecond that is a fifth.
    """

    def __init__(self, path: str, application: ASGIApp, router: ASGIApp) -> None:
        self._path: Final = path
        self._application = application
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"] == self._path:
            await self._application(scope, receive, send)
        else:
            await self._router(scope, receive, send)
