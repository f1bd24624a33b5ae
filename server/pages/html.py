"""Simple pages: one style, one policy, one document structure."""

import base64
import hashlib
from typing import Final

from asgi.request_context import Header

ICON: Final = "/icon.svg"

_OWN: Final = "'self'"
_NOTHING: Final = "'none'"

_STYLE: Final = """
:root {
  color-scheme: light dark; --paper: #f6f4ef; --sheet: #fffefb; --ink: #1c2430; --soft: #586170; --line: #ddd8cc;
  --mark: #0b6e6e; font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #12161b; --sheet: #1b2128; --ink: #e8e6e1; --soft: #a2abb8; --line: #2e3742; --mark: #5cc8c2; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); }
main { max-width: 60rem; margin: 0 auto; padding: clamp(1.5rem, 6vw, 4rem) 1.25rem 4rem; }
a { color: var(--mark); }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
h1 { font-size: clamp(1.6rem, 5vw, 2.3rem); line-height: 1.2; letter-spacing: -.02em; margin: 0 0 .75rem; }
h2 { font-size: 1.05rem; margin: 2.5rem 0 .75rem; }
p { margin: 0 0 1rem; max-width: 42rem; }
pre { overflow-x: auto; margin: 0; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 10px;
  background: var(--sheet); }
code { font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
.brand { display: flex; align-items: center; gap: .6rem; margin: 0 0 2rem; font-weight: 650; text-decoration: none;
  color: inherit; width: max-content; }
.brand img { width: 32px; height: 32px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); gap: .75rem; margin: 0;
  padding: 0; list-style: none; }
.cards a { display: block; height: 100%; padding: 1rem 1.1rem; border: 1px solid var(--line); border-radius: 14px;
  background: var(--sheet); color: inherit; text-decoration: none; }
.cards a:hover { border-color: var(--mark); }
.cards b { display: block; color: var(--mark); font-size: 1.05rem; }
.cards span { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .35rem 1.25rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
form { display: grid; gap: .9rem; max-width: 22rem; margin: 0 0 1rem; } form p { margin: 0; }
[hidden] { display: none; }
label { display: grid; gap: .25rem; font-weight: 600; }
input { font: inherit; padding: .5rem .6rem; border: 1px solid var(--soft); border-radius: 8px; color: inherit;
  background: var(--sheet); }
button { font: inherit; font-weight: 600; padding: .55rem .9rem; border: 0; border-radius: 8px; color: var(--paper);
  background: var(--mark); cursor: pointer; }
.problem { color: light-dark(#a3262a, #ff9c93); } .problem:empty { display: none; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } }
"""


def document(title: str, body: str, *, script: str | None = None) -> bytes:
    """The page as UTF-8 HTML; *body* is HTML, and *script* the path of a module."""
    scripts = f'<script type="module" src="{script}"></script>' if script is not None else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f'<link rel="icon" type="image/svg+xml" href="{ICON}"><style>{_STYLE}</style>{scripts}</head>'
        f'<body><main><a class="brand" href="/"><img src="{ICON}" alt=""> Taskriver</a>{body}</main></body></html>\n'
    ).encode()


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def headers_with(*directives: str, sends_forms: bool = False) -> list[Header]:
    """The headers of a page: it may use its own style and images of this server, and what *directives* permit.

    If it *sends_forms*, it may send them to this server without a script. It then names its origin, which browsers
    would replace by `null` otherwise.
    """
    policy = [
        "default-src 'none'; img-src 'self'",
        f"style-src 'sha256-{_digest(_STYLE)}'",
        *directives,
        f"base-uri 'none'; form-action {_OWN if sends_forms else _NOTHING}; frame-ancestors 'none'",
    ]
    return [
        (b"content-security-policy", "; ".join(policy).encode("ascii")),
        (b"referrer-policy", b"same-origin" if sends_forms else b"no-referrer"),
    ]


HEADERS: Final = headers_with()
"""Sent with each page: it may use its own style and images of this server, and nothing else."""
