"""How commands answer: words for people, one JSON object for programs."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from graphql_api.cli.saying import say

AsJSON = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]


def answer(words: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """The last thing that a command says."""
    say(json.dumps(facts, ensure_ascii=False) if as_json else words)


def counted(number: int, noun: str) -> str:
    """`1 task`, `2,000 tasks`, `2 processes`."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def examples(*lines: str) -> str:
    """The end of a command's help. The backspace keeps the lines as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
