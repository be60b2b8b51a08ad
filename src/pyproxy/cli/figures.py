"""Numbers as people read them at a glance: times, counts, sizes and shares, a few digits each."""

from typing import Final

NONE: Final = "-"
_SPANS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_MS_PER_S: Final = 1000
_FEW: Final = 10
_HUNDRED: Final = 100
_MANY: Final = 10_000
_STEP: Final = 1000
_UNITS: Final = ("", "k", "M", "G", "T", "P")
_LEAST_SHARE: Final = 0.001


def span(seconds: float) -> str:
    """A time, in its largest unit and the one below."""
    left = max(0, round(seconds))
    found: list[str] = []
    for unit_s, unit in _SPANS:
        number, left = divmod(left, unit_s)
        if number or (unit_s == 1 and not found):
            found.append(f"{number} {unit}")
        elif found:
            break
    return " ".join(found[:2])


def milliseconds(value: float | None) -> str:
    """A latency; ``None``: there was nothing to measure."""
    if value is None:
        return NONE
    if value < 1:
        return f"{value:.2f} ms"
    if value < _HUNDRED:
        return f"{value:.1f} ms"
    if value < _MS_PER_S:
        return f"{value:.0f} ms"
    return f"{value / _MS_PER_S:.2f} s"


def rate(value: float) -> str:
    """So many a second."""
    return f"{value:.1f}" if 0 < value < _FEW else count(value)


def count(value: float) -> str:
    """A count: exact up to 9999, then three or four digits of it."""
    return f"{value:.0f}" if value < _MANY else _scaled(value)


def size(value: float) -> str:
    """Bytes, by thousands."""
    number = f"{value:.0f}" if value < _STEP else _scaled(value)
    return f"{number[:-1]} {number[-1]}B" if number[-1].isalpha() else f"{number} B"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent; what is there is never said to be nothing."""
    if not whole:
        return NONE
    ratio = part / whole
    if 0 < ratio < _LEAST_SHARE:
        return "< 0.1 %"
    return "> 99.9 %" if 1 - _LEAST_SHARE < ratio < 1 else f"{ratio * _HUNDRED:.1f} %"


def _scaled(value: float) -> str:
    unit = 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value /= _STEP
        unit += 1
    return f"{value:.1f}{_UNITS[unit]}" if value < _HUNDRED else f"{value:.0f}{_UNITS[unit]}"
