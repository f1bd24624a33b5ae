"""The diagrams of the curves."""

from itertools import pairwise
from xml.etree import ElementTree

from benchmarks.chart import WIDTH
from benchmarks.curve_chart import HIGH, Line, Panel, draw_curves
from benchmarks.ratios import Spread

SVG = "{http://www.w3.org/2000/svg}"


def panel(*spreads: Spread | None, **others: Line) -> Panel:
    """A panel with one line, or more."""
    points = [str(10**index) for index in range(len(spreads))]
    return Panel("A <curve>", "tasks", points, {"Taskriver": Line(spreads, "ours"), **others})


def test_a_line_has_a_point_for_each_measurement():
    """Twice the value is twice the height above the axis; a missing measurement is left out."""
    root = _root(panel(Spread(50, 50, 50), None, Spread(100, 80, 100)))
    axis = float(next(line for line in root.iter(f"{SVG}line")).attrib["y1"])
    heights = [axis - float(dot.attrib["cy"]) for dot in root.iter(f"{SVG}circle")]
    assert len(heights) == 2
    assert heights[1] == 2 * heights[0]
    (line,) = root.iter(f"{SVG}polyline")
    assert len(line.attrib["points"].split()) == 2


def test_points_have_equal_distances():
    """They grow by factors."""
    places = [float(dot.attrib["cx"]) for dot in _root(panel(*[Spread(1, 1, 1)] * 4)).iter(f"{SVG}circle")]
    distances = {round(second - first) for first, second in pairwise(places)}
    assert len(distances) == 1
    assert 0 < places[0] < places[-1] < WIDTH / 2


def test_panels_are_in_two_columns():
    """The third one begins a new row, inside the picture."""
    root = ElementTree.fromstring(draw_curves("Curves", [panel(Spread(1, 1, 1))] * 3))  # noqa: S314 - our own
    titles = [text for text in root.iter(f"{SVG}text") if text.text == "A <curve>"]
    places = [(float(title.attrib["x"]), float(title.attrib["y"])) for title in titles]
    assert places[0][1] == places[1][1] == places[2][1] - HIGH
    assert places[0][0] == places[2][0] < places[1][0]
    assert places[2][1] + HIGH / 2 < float(root.attrib["viewBox"].split()[3])


def test_only_several_lines_have_a_legend():
    """One line is our server."""
    names = [text.text for text in _root(panel(Spread(1, 1, 1))).iter(f"{SVG}text")]
    assert "Taskriver" not in names
    both = panel(Spread(1, 1, 1), Other=Line([Spread(2, 2, 2)]))
    assert {"Taskriver", "Other"} <= {text.text for text in _root(both).iter(f"{SVG}text")}


def test_a_curve_of_zeros_has_no_height():
    """Nothing is divided by zero."""
    assert _root(panel(Spread(0, 0, 0))) is not None


def _root(*panels: Panel) -> ElementTree.Element:
    return ElementTree.fromstring(draw_curves("Curves", panels))  # noqa: S314 - our own
