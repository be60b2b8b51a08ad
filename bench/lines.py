"""The picture of growth: a small panel for each figure, from few to many."""

from collections.abc import Sequence

from bench.series import Series, shown
from bench.svg import Drawing

_PER_ROW = 3
_WIDTH, _HEIGHT = 222.0, 186.0  # of a panel's place, what is between panels included
_PLOT_WIDTH = 196.0
_PLOT_TOP, _PLOT_BOTTOM = 58.0, 146.0
_AT_EDGES = 30.0  # room for the first and the last number
_HEADROOM = 1.15  # the scale ends above the greatest value, and begins at 0


def draw_growth(all_series: Sequence[Series], title: str) -> str:
    """An SVG with a panel a series; every scale begins at zero."""
    drawing = Drawing(title, _in_words(all_series))
    for i, series in enumerate(all_series):
        row, column = divmod(i, _PER_ROW)
        _draw_panel(drawing, series, column * _WIDTH + column * 15, row * _HEIGHT)
    rows = -(-len(all_series) // _PER_ROW)
    return drawing.render(rows * _HEIGHT)


def _in_words(all_series: Sequence[Series]) -> str:
    """What a reader hears who does not see the lines."""
    said = (
        f"{series.name}, {series.figure}: "
        + ", ".join(f"{shown(value)} with {number:,}" for number, value in series.points.items())
        for series in all_series
    )
    return f"{'; '.join(said)}."


def _draw_panel(drawing: Drawing, series: Series, left: float, top: float) -> None:
    drawing.text(left, top + 18, series.name, "strong")
    drawing.text(left, top + 34, series.figure, "faint")
    base = top + _PLOT_BOTTOM
    drawing.line((left, base), (left + _PLOT_WIDTH, base), "axis")
    points = _points(series, left, top)
    drawing.path(points, "trend")
    for (x, y), (number, value) in zip(points, series.points.items(), strict=True):
        drawing.dot(x, y, "c0")
        drawing.text(x, y - 9, shown(value), "value", "middle")
        drawing.text(x, base + 16, f"{number:,}", "faint", "middle")


def _points(series: Series, left: float, top: float) -> list[tuple[float, float]]:
    """Numbers stand at equal distances, whatever they are."""
    greatest = max(series.points.values(), default=0.0) * _HEADROOM or 1.0
    steps = max(1, len(series.points) - 1)
    distance = (_PLOT_WIDTH - 2 * _AT_EDGES) / steps
    height = _PLOT_BOTTOM - _PLOT_TOP
    return [
        (left + _AT_EDGES + i * distance, top + _PLOT_BOTTOM - value / greatest * height)
        for i, value in enumerate(series.points.values())
    ]
