"""Whether a person or a program asks (RFC 9110 section 12.5.1)."""

from contextlib import suppress
from typing import Final

_HTML: Final = ("text/html", "text/*", "*/*")
_JSON: Final = ("application/json", "application/*", "*/*")


def prefers_html(accept: str) -> bool:
    """Whether HTML is wanted more than JSON; who has no preference gets JSON.

    Args:
        accept: The field; empty if there is none.
    """
    weights: dict[str, float] = {}
    for item in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in item.split(";"))
        weights[kind] = _weight(parameters)
    return _of(_HTML, weights) > _of(_JSON, weights)


def _weight(parameters: list[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name == "q":
            with suppress(ValueError):
                return float(value)
    return 1.0


def _of(kinds: tuple[str, ...], weights: dict[str, float]) -> float:
    """The weight of the most specific of the kinds that is named."""
    return next((weights[kind] for kind in kinds if kind in weights), 0.0)
