"""`/docs`: Swagger UI from files of this package, and the OpenAPI document that it loads."""

import asyncio
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final

from starlette.types import Receive, Scope, Send

from asgi.request_context import Header
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.static_files import HTML, JSON, ONE_HOUR, REVALIDATE, SCRIPT, StaticFile, StaticFolder
from rest_api.errors import refusal
from rest_api.openapi import document_bytes

_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE: Final = StaticFile(
    b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Taskriver REST</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
""",
    HTML,
)
_START: Final = StaticFile(
    b"""// Swagger UI has dark colours, for a document of this class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followColorScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followColorScheme);
followColorScheme();
// A page cannot set the refresh cookie; the browser sends it. The Authorize dialog has no field for it.
const withoutCookies = (description) => {
  const schemes = description.components.securitySchemes;
  const cookies = Object.keys(schemes).filter((name) => schemes[name].in === "cookie");
  const omit = (named) => Object.fromEntries(Object.entries(named).filter(([name]) => !cookies.includes(name)));
  const omitFrom = (requirements) => requirements.map(omit).filter((requirement) => Object.keys(requirement).length);
  description.components.securitySchemes = omit(schemes);
  for (const operations of Object.values(description.paths))
    for (const operation of Object.values(operations))
      if (operation.security) operation.security = omitFrom(operation.security);
  return description;
};
const hideCookies = {
  statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (spec) => update(withoutCookies(spec)) } } },
};
SwaggerUIBundle({
  url: "/openapi.json",
  plugins: [hideCookies],
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
""",
    SCRIPT,
)
_FILES: Final = StaticFolder(files(__package__).joinpath("swagger-ui"))


class Docs:
    """The ASGI application at `/docs` and `/openapi.json`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        answer = await asyncio.to_thread(self._answer, scope)
        with_body = scope["method"] != "HEAD"
        await answer.send(send, request_id=request_id_of(dict(scope["headers"])), with_body=with_body)

    def _answer(self, scope: Scope) -> HTTPResponse:
        if scope["method"] not in ("GET", "HEAD"):
            return refusal(405, "Method Not Allowed", (b"allow", b"GET, HEAD"))
        headers = dict(scope["headers"])
        if scope["path"].endswith("/openapi.json"):
            return _document().response(headers, cache=REVALIDATE)
        name = scope["path_params"].get("name")
        if name is None:
            return _PAGE.response(headers, cache=REVALIDATE, headers=_headers())
        found = _START if name == "start.js" else _FILES.find(name)
        return (
            refusal(404, "Not Found") if found is None else found.response(headers, cache=ONE_HOUR, headers=_headers())
        )


def _headers() -> list[Header]:
    return [(b"content-security-policy", _POLICY), (b"referrer-policy", b"no-referrer")]


@cache
def _document() -> StaticFile:
    return StaticFile(document_bytes(version("taskriver")), JSON)
