"""The progress on the terminal."""

from collections.abc import Sequence

from benchmarks.ratios import Spread, ratio, values
from benchmarks.results import Measurement
from benchmarks.stalls import PART

BASE = "mercurius"


def line(each: Measurement, others: Sequence[Measurement]) -> str:
    """One measurement, compared with the base of the same round."""
    base = next((other for other in others if other.peer == BASE and other.what == each.what), None)
    times = f"{each.value / base.value:6.2f} × {BASE}" if base else ""
    numbers = "  ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in each.numbers.items())
    value = f"{each.value:>9,.0f}{_unit(each.what)}"
    return f"  {each.what:<4} round {each.round + 1}  {each.peer:<18} {value} {times}   {numbers}"


def summary(measured: Sequence[Measurement], what: str, peers: Sequence[str]) -> list[str]:
    """The medians, and the spread of the rounds."""
    taking_part = [peer for peer in peers if values(measured, what, peer)]
    if not taking_part:
        return []
    base = BASE if BASE in taking_part else taking_part[0]
    return [_median(measured, what, peer, base) for peer in taking_part]


def _unit(what: str) -> str:
    return " ms" if what.startswith(f"{PART}/") else "/s"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _median(measured: Sequence[Measurement], what: str, peer: str, base: str) -> str:
    rates = Spread.of(values(measured, what, peer).values())
    value = f"{rates.median:>9,.0f}{_unit(what)}"
    text = f"  {what:<4} median   {peer:<18} {value} ({rates.least:,.0f} to {rates.most:,.0f})"
    if base == peer != BASE:
        return text
    for times, unit in ((ratio(measured, what, peer, base), ""), (_per_cpu(measured, what, peer, base), " per CPU")):
        if times is not None:
            text += f", {times.median:.2f} × {base}{unit} ({times.least:.2f} to {times.most:.2f})"
    return text


def _per_cpu(measured: Sequence[Measurement], what: str, peer: str, base: str) -> Spread | None:
    return ratio(measured, what, peer, base, "per_cpu")
