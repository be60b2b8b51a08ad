"""The picture of a comparison: for each scenario a bar for every other contender."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.svg import COLOURS, Drawing

_LEFT, _RIGHT = 205.0, 640.0  # of the scale; what is beyond holds words and numbers
_TOP = 64.0
_BAR, _BETWEEN = 12.0, 16.0
_LEGEND = 175.0
_LIMIT = 8.0  # the scale goes from an eighth to eight times; doubling is a step
_TICKS = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0)
_WHOLE_FROM = 100
_ONE_DIGIT_FROM = 10


@dataclass(frozen=True, slots=True)
class Group:
    """One scenario.

    Attributes:
        name: Of the scenario.
        figure: What the ratios are of.
        ratios: By contender; above 1 pyproxy is better. Some may be missing.
    """

    name: str
    figure: str
    ratios: Mapping[str, float]


def draw_ratios(groups: Sequence[Group], title: str) -> str:
    """An SVG; bars to the right are for pyproxy, to the left for the other."""
    others = list(dict.fromkeys(name for group in groups for name in group.ratios))
    drawing = Drawing(title, _in_words(groups))
    bottom = _TOP + sum(_height(group) for group in groups)
    _draw_legend(drawing, others)
    _draw_scale(drawing, bottom)
    y = _TOP
    for group in groups:
        _draw_group(drawing, group, others, y)
        y += _height(group)
    return drawing.render(bottom + 30)


def shown(ratio: float) -> str:
    """As many digits as say something."""
    if ratio >= _WHOLE_FROM:
        return f"{ratio:,.0f}"
    return f"{ratio:.1f}" if ratio >= _ONE_DIGIT_FROM else f"{ratio:.2f}"


def _in_words(groups: Sequence[Group]) -> str:
    """What a reader hears who does not see the bars."""
    said = (
        f"{group.name}, {group.figure}: "
        + ", ".join(f"{shown(ratio)} against {name}" for name, ratio in group.ratios.items())
        for group in groups
    )
    return f"Ratios; above 1 pyproxy is better. {'; '.join(said)}."


def _height(group: Group) -> float:
    return max(len(group.ratios), 2) * _BAR + _BETWEEN


def _x(ratio: float) -> float:
    """Where on the scale; what is off it stands at its end."""
    step = math.log2(min(max(ratio, 1 / _LIMIT), _LIMIT)) / math.log2(_LIMIT)
    return (_LEFT + _RIGHT) / 2 + step * (_RIGHT - _LEFT) / 2


def _draw_legend(drawing: Drawing, others: Sequence[str]) -> None:
    for i, (other, colour) in enumerate(zip(others, COLOURS, strict=False)):
        drawing.rect(i * _LEGEND, 8, 10, 10, colour)
        drawing.text(i * _LEGEND + 15, 17, f"against {other}")


def _draw_scale(drawing: Drawing, bottom: float) -> None:
    middle = _x(1.0)
    drawing.text(middle - 8, _TOP - 26, "\N{LEFTWARDS ARROW} the other is better", "faint", "end")
    drawing.text(middle + 8, _TOP - 26, "pyproxy is better \N{RIGHTWARDS ARROW}", "faint")
    for tick in _TICKS:
        x = _x(tick)
        kind = "axis" if tick == 1 else "grid"
        drawing.line((x, _TOP - 4), (x, bottom), kind)
        word = f"{tick:g}" if tick >= 1 else f"1/{1 / tick:g}"
        for y in (_TOP - 9, bottom + 16):
            drawing.text(x, y, word, "faint", "middle")


def _draw_group(drawing: Drawing, group: Group, others: Sequence[str], top: float) -> None:
    drawing.text(0, top + 14, group.name, "strong")
    drawing.text(0, top + 28, group.figure, "faint")
    y = top + _BETWEEN / 4
    for name, ratio in group.ratios.items():
        start, end = sorted((_x(1.0), _x(ratio)))
        drawing.rect(start, y + 1, end - start, _BAR - 2, COLOURS[others.index(name)])
        is_ours = ratio >= 1
        is_off_scale = not 1 / _LIMIT <= ratio <= _LIMIT
        word = shown(ratio) + (" \N{RIGHTWARDS ARROW}" if is_off_scale and is_ours else "")
        word = "\N{LEFTWARDS ARROW} " * (is_off_scale and not is_ours) + word
        drawing.text(
            end + 4 if is_ours else start - 4,
            y + _BAR - 2,
            word,
            "value",
            "start" if is_ours else "end",
        )
        y += _BAR
