"""Pictures for the documentation: the little of SVG that bars and lines need.

They have no background and follow the reader's light or dark scheme; numbers (``value``) have a
rim in the usual colour of a page, so that lines do not run through them. The title and the
description are what a screen reader says (SVG 1.1 section 5.4, WAI-ARIA graphics).
"""

from collections.abc import Iterable
from html import escape

WIDTH = 720
"""Pixels; the height is the picture's own affair."""

_MARGIN = 12
_ROLE = 'role="img" aria-labelledby="title description"'
_STYLE = """
text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.strong { font-weight: 600; }
.faint, .value { fill: #59636e; font-size: 11px; }
.value { stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round; paint-order: stroke; }
.grid { stroke: #d1d9e0; }
.axis { stroke: #59636e; }
.trend { stroke: #0969da; stroke-width: 2; fill: none; }
.c0 { fill: #0969da; } .c1 { fill: #bc4c00; } .c2 { fill: #1a7f37; } .c3 { fill: #8250df; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .faint, .value { fill: #9198a1; }
  .value { stroke: #0d1117; }
  .grid { stroke: #3d444d; }
  .axis { stroke: #9198a1; }
  .trend { stroke: #4493f8; }
  .c0 { fill: #4493f8; } .c1 { fill: #f0883e; } .c2 { fill: #3fb950; } .c3 { fill: #ab7df8; }
}
"""
COLOURS = ("c0", "c1", "c2", "c3")
"""Classes that fill, told apart in both schemes."""


class Drawing:
    """Elements in their order; coordinates in pixels from the upper left corner."""

    def __init__(self, title: str, description: str) -> None:
        self._title = title
        self._description = description
        self._elements: list[str] = []

    def text(
        self, x: float, y: float, words: str, kind: str = "plain", anchor: str = "start"
    ) -> None:
        """Write words with their base line at ``y``; ``anchor`` is start, middle or end."""
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        self._elements.append(f'<text {place} class="{kind}">{escape(words)}</text>')

    def rect(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """Fill a rectangle; one without width still shows as a hair."""
        size = f'width="{max(width, 1):.1f}" height="{height:.1f}"'
        self._elements.append(f'<rect x="{x:.1f}" y="{y:.1f}" {size} class="{kind}"/>')

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """Draw from one point to another."""
        (x1, y1), (x2, y2) = start, end
        ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self._elements.append(f'<line {ends} class="{kind}"/>')

    def path(self, points: Iterable[tuple[float, float]], kind: str) -> None:
        """Join points."""
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._elements.append(f'<polyline points="{joined}" class="{kind}"/>')

    def dot(self, x: float, y: float, kind: str) -> None:
        """Mark a point."""
        self._elements.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" class="{kind}"/>')

    def render(self, height: float) -> str:
        """The whole file's text."""
        size = f'width="{WIDTH}" height="{height:.0f}"'
        box = f"{-_MARGIN} 0 {WIDTH} {height:.0f}"
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="{box}" {_ROLE}>',
                f'<title id="title">{escape(self._title)}</title>',
                f'<desc id="description">{escape(self._description)}</desc>',
                f"<style>{_STYLE}</style>",
                *self._elements,
                "</svg>\n",
            ]
        )
