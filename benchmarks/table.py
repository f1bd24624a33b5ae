"""Markdown tables of the measurements."""

from collections.abc import Sequence

from benchmarks.peers.catalogue import PEERS
from benchmarks.ratios import Spread, ratio, values
from benchmarks.results import Measurement

ABSENT = "–"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table with the first row as its head. The first column is text, the others are numbers."""
    head, *body = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *body))


def spread(found: Spread | None, form: str = ".2f") -> str:
    """The median and the spread, as `1.50 (1.42 – 1.61)`."""
    if found is None:
        return ABSENT
    return f"{found.median:{form}} ({found.least:{form}} – {found.most:{form}})"


def seen(measured: Sequence[Measurement], what: str, peer: str, number: str | None = None, form: str = ",.0f") -> str:
    """The measurements of a peer over all rounds; a dash if there are none."""
    found = values(measured, what, peer, number)
    return spread(Spread.of(found.values()) if found else None, form)


def times(
    measured: Sequence[Measurement], names: Sequence[str], base: str, number: str | None = None
) -> list[list[str]]:
    """A row for each peer: its ratio to the base in each workload."""
    return [
        [PEERS[peer].title, *(spread(ratio(measured, what, peer, base, number)) for what in names)]
        for peer in peers_of(measured, names)
    ]


def medians(
    measured: Sequence[Measurement], names: Sequence[str], number: str | None = None, form: str = ",.0f"
) -> list[list[str]]:
    """A row for each peer: the median, and the spread of the rounds."""
    rows = [
        [PEERS[peer].title, *(seen(measured, what, peer, number, form) for what in names)]
        for peer in peers_of(measured, names)
    ]
    return [row for row in rows if set(row[1:]) != {ABSENT}]


def peers_of(measured: Sequence[Measurement], names: Sequence[str]) -> list[str]:
    """The peers that were measured in any of these, in the order of the catalogue."""
    seen = {each.peer for each in measured if each.what in names}
    return [peer for peer in PEERS if peer in seen]
