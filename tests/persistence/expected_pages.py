"""The expected pages of a list, computed in Python."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

SIZES: Final = (1, 2, 5)


@dataclass(frozen=True)
class Wanted:
    """A page as it is asked for: each cursor is an index in the list of places."""

    size: int
    after: int | None
    before: int | None
    backward: bool


@dataclass(frozen=True)
class Expected:
    """A page as it has to be answered."""

    rows: list[Any]
    has_previous: bool
    has_next: bool


def some_pages(places: Sequence[Any], chance: random.Random, many: int = 60) -> list[Wanted]:
    """Pages with cursors among these places: in both directions, with one cursor, both or none."""
    indexes = [None, *range(len(places))]
    return chance.sample([Wanted(*each) for each in product(SIZES, indexes, indexes, (False, True))], many)


def expected(places: Sequence[Any], existing: Collection[Any], wanted: Wanted) -> Expected:
    """The page of the *existing* ones among all places in order; a cursor's own place need not exist any more."""
    there = [index for index, place in enumerate(places) if place in existing]
    window = [
        index
        for index in there
        if (wanted.after is None or index > wanted.after) and (wanted.before is None or index < wanted.before)
    ]
    page = window[-wanted.size :] if wanted.backward else window[: wanted.size]
    if page:
        return Expected([places[index] for index in page], there[0] < page[0], there[-1] > page[-1])
    return Expected(
        [],
        wanted.after is not None and any(index <= wanted.after for index in there),
        wanted.before is not None and any(index >= wanted.before for index in there),
    )
