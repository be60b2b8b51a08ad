"""One panel of each kind that the dashboard has."""

import time
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final

from bench.pictures.answers import Curve

Panel = dict[str, Any]

# Grafana's classic palette begins so; its names of colours that the dashboard gives out.
_PALETTE: Final = ("#56a64b", "#f2cc0c", "#3274d9", "#ff780a", "#e02f44", "#a352cc", "#1f60c4")
_NAMED: Final = {
    "green": "#56a64b",
    "blue": "#3274d9",
    "orange": "#ff780a",
    "red": "#e02f44",
}
# Pixels of a panel a third of the page wide; wider ones are stretched.
_WIDTH: Final = 395
_HEIGHT: Final = 195
_LEFT: Final = 62
_BOTTOM: Final = 16
_TOP: Final = 6
_SPAN_S: Final = 110.0
_MINUTE_S: Final = 60
_HUNDRED: Final = 100
_THOUSAND: Final = 1000


def _time_series(panel: Panel, curves: Sequence[Curve]) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    is_stacked = defaults["custom"]["stacking"]["mode"] == "normal"
    colours = _colours(panel, curves)
    layers = _stacked(curves) if is_stacked else [dict(curve.points) for curve in curves]
    peak = max((value for layer in layers for value in layer.values()), default=0.0) or 1.0
    shapes = "".join(
        _shape(
            layer, layers[i - 1] if is_stacked and i else None, peak, colour, is_filled=is_stacked
        )
        for i, (layer, colour) in enumerate(zip(layers, colours, strict=True))
    )
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(curve.legend)}</span>'
        for curve, colour in zip(curves, colours, strict=True)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none">'
        f"{_axes(peak, defaults['unit'])}{shapes}</svg><div class='legend'>{legend}</div>"
    )


def _stat(panel: Panel, curves: Sequence[Curve]) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    if not curves or not curves[0].points:
        return '<p class="big">No data</p>'
    value = curves[0].points[-1][1]
    colour = _step(value, defaults["thresholds"]["steps"])
    points = dict(curves[0].points)
    peak = max(points.values()) or 1.0
    picture = _shape(points, None, peak, colour, is_filled=True)
    return (
        f'<p class="big" style="color:{colour}">{_text(value, defaults["unit"])}</p>'
        f'<svg viewBox="{_LEFT} 0 {_WIDTH - _LEFT} {_HEIGHT}" preserveAspectRatio="none">'
        f"{picture}</svg>"
    )


def _state_timeline(_: Panel, curves: Sequence[Curve]) -> str:
    lanes = []
    for curve in curves:
        steps = "".join(
            f'<rect x="{_x(ago):.1f}" width="{_WIDTH / _SPAN_S + 0.5:.1f}" height="16" '
            f'fill="{_NAMED["green" if value else "red"]}"/>'
            for ago, value in curve.points
        )
        lanes.append(
            f"<div><span>{escape(curve.legend)}</span>"
            f'<svg style="height:16px" viewBox="{_LEFT} 0 {_WIDTH - _LEFT} 16" '
            f'preserveAspectRatio="none">{steps}</svg></div>'
        )
    return f'<div class="lanes">{"".join(lanes)}</div>'


def _bar_gauge(panel: Panel, curves: Sequence[Curve]) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    lanes = []
    for curve in curves:
        value = curve.points[-1][1]
        colour = _step(value, defaults["thresholds"]["steps"])
        share = min(1.0, value / defaults["max"]) * _HUNDRED
        name = curve.legend.replace("/", "/ ").split()[-1]
        lanes.append(
            f"<div><span>{escape(curve.legend.split()[0])} {escape(name)}</span>"
            f'<svg style="height:20px" viewBox="0 0 100 20" preserveAspectRatio="none">'
            f'<rect width="100" height="20" fill="#eceef1"/>'
            f'<rect width="{share:.1f}" height="20" fill="{colour}"/></svg>'
            f'<span style="color:{colour}">{_text(value, defaults["unit"])}</span></div>'
        )
    return f'<div class="lanes">{"".join(lanes)}</div>'


def _table(_: Panel, curves: Sequence[Curve]) -> str:
    names = sorted({name for curve in curves for name in curve.labels})
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(curve.labels.get(n, ''))}</td>" for n in names) + "</tr>"
        for curve in curves
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


DRAWERS: Final[Mapping[str, Callable[[Panel, Sequence[Curve]], str]]] = {
    "timeseries": _time_series,
    "stat": _stat,
    "state-timeline": _state_timeline,
    "bargauge": _bar_gauge,
    "table": _table,
}


def _stacked(curves: Sequence[Curve]) -> list[dict[float, float]]:
    """Each layer on top of those before it."""
    sums: dict[float, float] = {}
    layers = []
    for curve in curves:
        for ago, value in curve.points:
            sums[round(ago)] = sums.get(round(ago), 0.0) + value
        layers.append(dict(sums))
    return layers


def _shape(
    points: Mapping[float, float],
    below: Mapping[float, float] | None,
    peak: float,
    colour: str,
    *,
    is_filled: bool,
) -> str:
    ordered = sorted(points.items(), reverse=True)
    if not ordered:
        return ""
    line = " ".join(f"{_x(ago):.1f},{_y(value / peak):.1f}" for ago, value in ordered)
    ground = sorted((below or {}).items()) or [(ordered[-1][0], 0.0), (ordered[0][0], 0.0)]
    back = " ".join(f"{_x(ago):.1f},{_y(value / peak):.1f}" for ago, value in ground)
    opacity = 0.5 if is_filled else 0.08
    return (
        f'<polygon points="{line} {back}" fill="{colour}" opacity="{opacity}"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.2" '
        'vector-effect="non-scaling-stroke"/>'
    )


def _axes(peak: float, unit: str) -> str:
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = _y(share)
        lines.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}" stroke="#e6e8eb"/>'
            f'<text class="axis" x="{_LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">'
            f"{_text(peak * share, unit)}</text>"
        )
    for ago in (90, 60, 30, 0):
        anchor = "end" if not ago else "middle"
        text = f"{ago} s ago" if ago else "now"
        lines.append(
            f'<text class="axis" x="{_x(ago):.1f}" y="{_HEIGHT - 3}" '
            f'text-anchor="{anchor}">{text}</text>'
        )
    return "".join(lines)


def _x(ago: float) -> float:
    return _LEFT + (_WIDTH - _LEFT) * (1 - ago / _SPAN_S)


def _y(share: float) -> float:
    return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share), 1)


def _colours(panel: Panel, curves: Sequence[Curve]) -> list[str]:
    fixed = {
        each["matcher"]["options"]: _NAMED[each["properties"][0]["value"]["fixedColor"]]
        for each in panel["fieldConfig"]["overrides"]
    }
    return [fixed.get(curve.legend, _PALETTE[i % len(_PALETTE)]) for i, curve in enumerate(curves)]


def _step(value: float, steps: Sequence[dict[str, Any]]) -> str:
    reached = [each for each in steps if each["value"] is None or value >= each["value"]]
    return _NAMED[reached[-1]["color"]]


def _ago(epoch_ms: float) -> str:
    return f"{(time.time() - epoch_ms / _THOUSAND) / _MINUTE_S:.0f} minutes ago"


_UNITS: Final[Mapping[str, Callable[[float], str]]] = {
    "s": lambda value: f"{value * _THOUSAND:.0f} ms" if value < 1 else f"{value:.3g} s",
    "reqps": lambda value: f"{value:.3g} req/s",
    "percentunit": lambda value: f"{value * _HUNDRED:.2f} %",
    "Bps": lambda value: f"{value / _THOUSAND:.3g} kB/s",
    "d": lambda value: f"{value:.0f} days",
    "dateTimeFromNow": _ago,
    "short": lambda value: f"{value:.3g}",
}


def _text(value: float, unit: str) -> str:
    """A value as Grafana writes it, nearly."""
    return _UNITS[unit](value)
