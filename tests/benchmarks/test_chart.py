from xml.etree import ElementTree

from benchmarks.chart import LEFT, RIGHT, WIDTH, Bar, draw
from benchmarks.ratios import Spread

SVG = "{http://www.w3.org/2000/svg}"
BARS = [
    Bar("Taskriver", Spread(1.5, 1.25, 2.0), "ours"),
    Bar("Mercurius + JIT", Spread(1.0, 1.0, 1.0), "base"),
    Bar("<b>Some & other</b>", Spread(0.25, 0.2, 0.3)),
]


def test_a_bar_is_as_long_as_its_ratio():
    """Twice the ratio is twice the length, and the longest spread fits."""
    widths = [float(bar.attrib["width"]) for bar in _bars(draw("All peers", {"W1": BARS}))]
    assert widths == [(WIDTH - LEFT - RIGHT) * ratio / 2 for ratio in (1.5, 1.0, 0.25)]


def test_names_are_escaped():
    """A title with markup is shown as text."""
    root = ElementTree.fromstring(draw("A < B", {"W1": BARS}))  # noqa: S314 - our own
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "<b>Some & other</b>" in texts
    assert "A < B" in texts
    assert "1.50" in texts


def test_groups_lie_below_one_another():
    """Each group begins below the last bar of the previous one, inside the picture."""
    picture = draw("All peers", {"W1": BARS, "W2": BARS})
    tops = [float(bar.attrib["y"]) for bar in _bars(picture)]
    assert tops == sorted(tops)
    assert len(set(tops)) == 2 * len(BARS)
    height = float(ElementTree.fromstring(picture).attrib["viewBox"].split()[3])  # noqa: S314
    assert tops[-1] < height


def test_no_measurements_give_an_empty_picture():
    """The picture is valid without bars."""
    assert _bars(draw("No peers", {})) == []


def _bars(picture: str) -> list[ElementTree.Element]:
    rectangles = ElementTree.fromstring(picture).iter(f"{SVG}rect")  # noqa: S314
    return [each for each in rectangles if "x" in each.attrib]
