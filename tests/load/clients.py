"""What a run hands to its clients: their tokens and names, and the path of the list, by the environment."""

import json
import os
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Final

from benchmarks.dataset import PASSWORD

PEOPLE_FILE: Final = "LOAD_PEOPLE"
LIST_PATH: Final = "LOAD_LIST_PATH"
SUBSCRIBERS: Final = "LOAD_SUBSCRIBERS"

__all__ = ["LIST_PATH", "PASSWORD", "PEOPLE_FILE", "PER_USER", "SUBSCRIBERS", "list_path", "next_person"]

PER_USER: Final = 10
"""Requests a second of each client that is paced."""

_queues: dict[str, Iterator[list[str]]] = {}


def next_person(kind: str) -> tuple[str, str]:
    """Name and token of the next user; each kind of client uses the same users in the same order."""
    if kind not in _queues:
        _queues[kind] = cycle(json.loads(Path(os.environ[PEOPLE_FILE]).read_text()))
    name, token = next(_queues[kind])
    return name, token


def list_path() -> str:
    """Where tasks are listed."""
    return os.environ.get(LIST_PATH, "/api/v1/tasks/")
