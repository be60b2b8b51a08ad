"""A figure that is measured for few and for many of something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_WHOLE_FROM = 1000


@dataclass(frozen=True, slots=True)
class Series:
    """How a figure changes with a number.

    Attributes:
        name: Of what there may be more.
        figure: What was measured, with its unit.
        points: The figure, by how many there were; ascending.
    """

    name: str
    figure: str
    points: Mapping[int, float]


def shown(value: float) -> str:
    """With a digit after the point where it says something."""
    return f"{value:,.0f}" if value >= _WHOLE_FROM else f"{value:.1f}"


def table(all_series: Sequence[Series]) -> str:
    """A row each, in Markdown."""
    columns = max((len(series.points) for series in all_series), default=0)
    lines = [["So many", "Figure", *[""] * columns], ["---"] * (2 + columns)]
    for series in all_series:
        cells = [f"{number:,}: {shown(value)}" for number, value in series.points.items()]
        lines.append([series.name, series.figure, *cells, *[""] * (columns - len(cells))])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
