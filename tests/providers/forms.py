"""Fills in the forms of providers, as a user does."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

ANSWERS = {"login": "ada", "password": "Correct-horse1"}
MAX_STEPS = 20


@dataclass
class Form:
    """A form: where it goes, and what it sends."""

    action: str = ""
    method: str = "get"
    values: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page. Of several buttons of a form, the first one with a value counts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect forms and their fields."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get").lower()))
        elif self.forms and found.get("name") and tag in ("input", "button"):
            values = self.forms[-1].values
            if tag == "input" and found.get("type") not in ("submit", "checkbox"):
                values[found["name"]] = ANSWERS.get(found["name"], found.get("value", ""))
            elif found["name"] not in values:
                values[found["name"]] = found.get("value", "")


async def walk(client: httpx.AsyncClient, url: str, *, until: str) -> str:
    """Follow redirects and fill in forms until the browser would go to a URL that begins with *until*; returns it."""
    answer = await client.get(url)
    for _ in range(MAX_STEPS):
        here = str(answer.url)
        if answer.is_redirect:
            there = urljoin(here, answer.headers["location"])
            if there.startswith(until):
                return there
            answer = await client.get(there)
            continue
        form = next((each for each in Forms(answer.text).forms if each.method == "post"), None)
        assert form is not None, (answer.status_code, here, answer.text[:2000])
        there = urljoin(here, form.action or urlsplit(here).path + "?" + urlsplit(here).query)
        answer = await client.post(there, data=form.values)
    raise AssertionError(f"The provider asks too much; the last page was {answer.url}.")
