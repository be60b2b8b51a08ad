"""Durations, sizes and rates, as people write them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

# Twelve digits are 30,000 years or a terabyte: whatever is longer is a slip of the
# finger, and a bound keeps every later sum exact.
_NUMBER: Final = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"
_QUANTITY: Final = re.compile(rf"({_NUMBER}) ?([A-Za-z]*)", re.ASCII)
_COMBINED: Final = re.compile(rf"(?:{_NUMBER} ?(?:h|m|s|ms) ?){{2,4}}", re.ASCII)
_RATE: Final = re.compile(rf"({_NUMBER})r/([smh])", re.ASCII)

_SECONDS: Final = {
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}
_BYTES: Final = {
    "GiB": Decimal(2**30),
    "GB": Decimal(10**9),
    "MiB": Decimal(2**20),
    "MB": Decimal(10**6),
    "KiB": Decimal(2**10),
    "KB": Decimal(10**3),
    "kB": Decimal(10**3),
    "B": Decimal(1),
}
_PERIODS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}

_A_DURATION: Final = 'a duration such as "250ms", "30s", "5m" or "1h"'
_A_SIZE: Final = 'a size such as "512B", "16KiB" or "10MB"'
_A_RATE: Final = 'a rate such as "10r/s", "5r/m" or "100r/h"'

# --- Kept open for editors: a value may also be taken from the environment.
_FROM_ENVIRONMENT: Final = r"|\$\{"
DURATION_PATTERN: Final = rf"^{_NUMBER} ?(ms|s|m|h)$" + _FROM_ENVIRONMENT
SIZE_PATTERN: Final = rf"^{_NUMBER} ?(B|[kK]B|KiB|MB|MiB|GB|GiB)$" + _FROM_ENVIRONMENT
RATE_PATTERN: Final = rf"^{_NUMBER}r/[smh]$" + _FROM_ENVIRONMENT


def _measure(value: object, units: Mapping[str, Decimal], wanted: str) -> Decimal:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number:
        raise ValueError(f"has no unit; write {wanted}")
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        is_combined = isinstance(value, str) and _COMBINED.fullmatch(value) is not None
        advice = "; combinations are not accepted: 90m, not 1h30m" if is_combined else ""
        raise ValueError(f"must be {wanted}{advice}")
    number, unit = match.groups()
    if not unit:
        raise ValueError(f"has no unit; write {wanted}")
    if unit not in units:
        raise ValueError(f"must be {wanted}; the units are {', '.join(units)}")
    return Decimal(number) * units[unit]


def parse_seconds(value: object) -> float:
    """Read a duration.

    Args:
        value: ``"250ms"``, ``"30s"``, ``"5m"``, ``"1h"``; decimals are fine.

    Returns:
        Seconds, not negative.

    Raises:
        ValueError: Anything else, a plain number above all: its unit would be a guess.
    """
    return float(_measure(value, _SECONDS, _A_DURATION))


def parse_positive_seconds(value: object) -> float:
    """Read a duration that may not be nothing, as a time limit may not.

    Raises:
        ValueError: As `parse_seconds`, and for zero.
    """
    seconds = parse_seconds(value)
    if seconds == 0:
        raise ValueError(f"must be longer than nothing: {_A_DURATION}")
    return seconds


def parse_bytes(value: object) -> int:
    """Read a size; ``KiB`` is 1024 bytes, ``KB`` 1000.

    Raises:
        ValueError: Anything else, a plain number or a fraction of a byte above all.
    """
    size = _measure(value, _BYTES, _A_SIZE)
    if size != int(size):
        raise ValueError(f"must be a whole number of bytes: {_A_SIZE}")
    return int(size)


def _parse_optional_seconds(value: object) -> float | None:
    return None if value == "" else parse_positive_seconds(value)


def _parse_optional_bytes(value: object) -> int | None:
    return None if value == "" else parse_bytes(value)


def _in_largest_unit(amount: Decimal, units: Mapping[str, Decimal], smallest: str) -> str:
    for unit, worth in units.items():
        if amount and amount % worth == 0:
            return f"{int(amount // worth)}{unit}"
    return f"{amount.normalize():f}{smallest}"


def seconds_text(seconds: float) -> str:
    """Write a duration so that `parse_seconds` reads the same."""
    return _in_largest_unit(Decimal(repr(seconds)), _SECONDS, "s")


def bytes_text(size: int) -> str:
    """Write a size so that `parse_bytes` reads the same."""
    return _in_largest_unit(Decimal(size), _BYTES, "B")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so much time, evenly spread.

    Attributes:
        count: How many, more than zero.
        period_s: In how many seconds.
    """

    count: float
    period_s: float

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a rate.

        Args:
            value: ``"10r/s"``, ``"5r/m"``, ``"100r/h"``.

        Raises:
            ValueError: Anything else, and a rate of nothing.
        """
        match = _RATE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"must be {_A_RATE}")
        count = float(match[1])
        if count == 0:
            raise ValueError(f"must be more than nothing: {_A_RATE}")
        return cls(count, _PERIODS[match[2]])

    @property
    def per_second(self) -> float:
        """How many a second."""
        return self.count / self.period_s

    def __str__(self) -> str:
        """Write it so that `parse` reads the same."""
        unit = next((unit for unit, worth in _PERIODS.items() if worth == self.period_s), None)
        count = f"{Decimal(repr(self.count)).normalize():f}"
        return f"{count}r/{unit or seconds_text(self.period_s)}"


def _rate_setting(value: object) -> Rate:
    return value if isinstance(value, Rate) else Rate.parse(value)


def _schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


Seconds = Annotated[
    float, PlainValidator(parse_seconds), _schema(DURATION_PATTERN, "250ms", "30s", "5m", "1h")
]
"""Seconds, zero or more; written with a unit."""

PositiveSeconds = Annotated[
    float,
    PlainValidator(parse_positive_seconds),
    _schema(DURATION_PATTERN, "250ms", "30s", "5m", "1h"),
]
"""Seconds, more than zero; written with a unit."""

OptionalSeconds = Annotated[
    float | None,
    PlainValidator(_parse_optional_seconds),
    _schema(f"^$|{DURATION_PATTERN}", "", "15s"),
]
"""Seconds, more than zero; ``""`` is ``None``."""

Bytes = Annotated[int, PlainValidator(parse_bytes), _schema(SIZE_PATTERN, "16KiB", "10MB")]
"""Bytes, zero or more; written with a unit."""

OptionalBytes = Annotated[
    int | None, PlainValidator(_parse_optional_bytes), _schema(f"^$|{SIZE_PATTERN}", "", "10MB")
]
"""Bytes; ``""`` is ``None``."""

RateSetting = Annotated[
    Rate,
    PlainValidator(_rate_setting),
    PlainSerializer(str, when_used="json"),
    _schema(RATE_PATTERN, "10r/s", "5r/m", "100r/h"),
]
"""A `Rate`, written ``"10r/s"``."""
