"""A small diagram for each curve, as SVG for light and dark pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from benchmarks.chart import COLOURS, TOP, WIDTH, text
from benchmarks.ratios import Spread

COLUMNS: Final = 2
HIGH: Final = 210
_LEFT, _RIGHT, _ABOVE, _BELOW = 62, 32, 44, 46
_WIDE: Final = WIDTH / COLUMNS


@dataclass(frozen=True, slots=True)
class Line:
    """The spreads of a peer at the points of a curve, None where it was not measured; its kind selects the colour."""

    spreads: Sequence[Spread | None]
    kind: str = "other"


@dataclass(frozen=True, slots=True)
class Panel:
    """A curve: its points from left to right, at equal distances, and the lines by their names."""

    title: str
    unit: str
    points: Sequence[str]
    lines: Mapping[str, Line]


def draw_curves(title: str, panels: Sequence[Panel]) -> str:
    """The panels in two columns. Each has its own scale, which begins at zero."""
    height = TOP + HIGH * -(-len(panels) // COLUMNS) + 12
    drawn = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'font-family="system-ui, sans-serif" font-size="13">'
        ),
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        text(16, 28, title, size=15, weight=600),
    ]
    for index, panel in enumerate(panels):
        drawn += _panel(panel, index % COLUMNS * _WIDE, TOP + index // COLUMNS * HIGH)
    return "\n".join([*drawn, "</svg>\n"])


def _panel(panel: Panel, left: float, top: float) -> list[str]:
    spreads = [each for line in panel.lines.values() for each in line.spreads if each is not None]
    most = max((each.most for each in spreads), default=1.0) or 1.0
    bottom, scale = top + HIGH - _BELOW, (HIGH - _ABOVE - _BELOW) / most
    step = (_WIDE - _LEFT - _RIGHT) / max(1, len(panel.points) - 1)
    places = [left + _LEFT + step * index for index in range(len(panel.points))]
    return [
        text(left + 16, top + 18, panel.title, size=12, weight=600),
        f'<line x1="{places[0]:.1f}" x2="{places[-1]:.1f}" y1="{bottom}" y2="{bottom}" stroke="{COLOURS["base"]}"/>',
        text(left + _LEFT - 8, bottom + 4, "0", anchor="end", size=11),
        text(left + _LEFT - 8, bottom - most * scale + 4, f"{most:,.0f}", anchor="end", size=11),
        *(text(x, bottom + 16, point, anchor="middle", size=11) for x, point in zip(places, panel.points, strict=True)),
        text(places[-1], bottom + 32, panel.unit, anchor="end", size=11),
        *_legend(panel, left + _LEFT, bottom + 32),
        *(part for line in panel.lines.values() for part in _line(line, places, bottom, scale)),
    ]


def _legend(panel: Panel, left: float, y: float) -> list[str]:
    if len(panel.lines) == 1:
        return []
    drawn = []
    for name, line in panel.lines.items():
        drawn += [f'<rect x="{left:.1f}" y="{y - 8:.1f}" width="9" height="9" fill="{COLOURS[line.kind]}"/>']
        drawn += [text(left + 14, y, name, size=11)]
        left += 30 + 6 * len(name)
    return drawn


def _line(line: Line, places: Sequence[float], bottom: float, scale: float) -> list[str]:
    """The medians, with a vertical line from the smallest to the largest value at each point."""
    colour = COLOURS[line.kind]
    found = [(x, each) for x, each in zip(places, line.spreads, strict=True) if each is not None]
    ends = [
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom - each.least * scale:.1f}" y2="{bottom - each.most * scale:.1f}" '
        f'stroke="{colour}"/>'
        for x, each in found
    ]
    points = [(x, bottom - each.median * scale) for x, each in found]
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *ends, *dots]
