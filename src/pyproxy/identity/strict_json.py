"""JSON that can be read in one way only."""

import json
import math
from collections.abc import Sequence

# Deepest claim seen in the wild: Keycloak's resource_access, four levels.
_MAX_DEPTH = 16
# Dates have 10 digits, identifiers up to 20; CPython's int() is quadratic.
_MAX_DIGITS = 32
_MAX_FLOAT_CHARACTERS = 64


class BadJson(ValueError):
    """Text that is not JSON, or JSON that two parsers could read differently."""


def parse_object(octets: bytes) -> dict[str, object]:
    """The members of a JSON object in UTF-8.

    Refused beyond RFC 8259: duplicate members (RFC 7515 §4 leaves the choice to
    us), NaN and infinities, numbers that overflow a double or have more than 32
    digits, nesting deeper than 16, half of a surrogate pair in a name. The
    length is the caller's to bound.

    Raises:
        BadJson: The octets are not such an object.
    """
    try:
        value: object = _DECODER.decode(octets.decode("utf-8"))
    except BadJson:
        raise
    except RecursionError as exc:
        raise BadJson("JSON is nested too deeply") from exc
    except ValueError as exc:
        # The parser's own words quote the text, which may hold a credential.
        raise BadJson("not JSON in UTF-8") from exc
    if not isinstance(value, dict):
        raise BadJson("not a JSON object")
    if _is_deeper(value, _MAX_DEPTH):
        raise BadJson("JSON is nested too deeply")
    return value


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadJson("JSON object with a member twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise BadJson("JSON number with too many digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits) if len(digits) <= _MAX_FLOAT_CHARACTERS else math.inf
    if not math.isfinite(number):
        raise BadJson("JSON number out of range")
    return number


def _no_constant(name: str) -> object:
    raise BadJson(f"{name} is not JSON")


def _is_deeper(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _children(outer)]
        if not layer:
            return False
    return any(isinstance(inner, (dict, list)) for inner in layer)


def _children(value: object) -> Sequence[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_finite,
    parse_constant=_no_constant,
)
