"""A bar for each peer in each workload, as SVG for light and dark pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from benchmarks.ratios import Spread

WIDTH: Final = 900
LEFT: Final = 190
RIGHT: Final = 150
ROW: Final = 20
HEAD: Final = 34
TOP: Final = 46
COLOURS: Final = {"ours": "#0f766e", "base": "#64748b", "floor": "#cbd5e1", "other": "#94a3b8"}


@dataclass(frozen=True, slots=True)
class Bar:
    """The ratio of a peer; its kind selects the colour: `ours`, `base`, `floor` or `other`."""

    title: str
    ratio: Spread
    kind: str = "other"


def draw(title: str, groups: Mapping[str, Sequence[Bar]]) -> str:
    """The groups from top to bottom; the longest bar has the full width."""
    longest = max((bar.ratio.most for bars in groups.values() for bar in bars), default=1.0)
    scale = (WIDTH - LEFT - RIGHT) / longest
    height = TOP + sum(HEAD + ROW * len(bars) for bars in groups.values()) + 12
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'font-family="system-ui, sans-serif" font-size="13">'
        ),
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        text(16, 28, title, size=15, weight=600),
    ]
    top = TOP
    for name, bars in groups.items():
        lines += _group(name, bars, top, scale)
        top += HEAD + ROW * len(bars)
    base = LEFT + scale
    lines.append(
        f'<line x1="{base:.1f}" y1="{TOP}" x2="{base:.1f}" y2="{top}" stroke="#64748b" stroke-dasharray="3 3"/>'
    )
    return "\n".join([*lines, "</svg>\n"])


def _group(name: str, bars: Sequence[Bar], top: int, scale: float) -> list[str]:
    lines = [text(16, top + 22, name, weight=600)]
    for index, bar in enumerate(bars):
        y = top + HEAD + index * ROW
        wide = max(bar.ratio.median * scale, 1)
        lines += [
            text(LEFT - 8, y + 13, bar.title, anchor="end"),
            f'<rect x="{LEFT}" y="{y + 3}" width="{wide:.1f}" height="{ROW - 7}" fill="{COLOURS[bar.kind]}"/>',
            (
                f'<line x1="{LEFT + bar.ratio.least * scale:.1f}" x2="{LEFT + bar.ratio.most * scale:.1f}" '
                f'y1="{y + ROW / 2 - 0.5}" y2="{y + ROW / 2 - 0.5}" stroke="#0f172a"/>'
            ),
            text(LEFT + bar.ratio.most * scale + 6, y + 13, f"{bar.ratio.median:.2f}", weight=600),
        ]
    return lines


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13, weight: int = 400) -> str:
    """A line of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
        f'fill="#0f172a">{escape(words)}</text>'
    )
