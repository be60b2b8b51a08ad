"""Keys that have a meaning, but not yet in this version."""

from collections.abc import Iterator, Mapping
from typing import Final

from pyproxy.config.faults import quoted
from pyproxy.config.finding import Finding, Location
from pyproxy.config.outline import ANY

# Refused rather than ignored: who writes a key relies on it. After each key stand the
# values that ask for nothing, which are fine.
_PENDING: Final[Mapping[tuple[str, ...], tuple[object, ...]]] = {
    ("auth", "ban"): ({},),
    ("store", "url"): ("memory:",),
    ("metrics", "users"): (False, "false"),
}
# These have no effect either, but stand in many files and endanger nobody.
_IGNORED: Final[Mapping[tuple[str, ...], tuple[object, ...]]] = {
    ("server", "admin"): ("",),
}


def unsupported(tree: Mapping[str, object]) -> tuple[Finding, ...]:
    """Find keys that this version would have to ignore, and must not.

    Args:
        tree: What was written, before defaults are filled in.
    """
    return tuple(
        Finding(where, f"is not supported by this version; leave it out{_or_write(harmless)}")
        for path, harmless in _PENDING.items()
        for where, value in _values_at(tree, path)
        if not _is_among(value, harmless)
    )


def ignored(tree: Mapping[str, object]) -> tuple[Finding, ...]:
    """Find keys that this version ignores."""
    return tuple(
        Finding(where, "is not supported by this version and has no effect")
        for path, harmless in _IGNORED.items()
        for where, value in _values_at(tree, path)
        if not _is_among(value, harmless)
    )


def _or_write(harmless: tuple[object, ...]) -> str:
    words = [word for word in harmless if isinstance(word, str)]
    return f", or write one of {quoted(words)}" if len(words) == len(harmless) > 1 else ""


def _is_among(value: object, harmless: tuple[object, ...]) -> bool:
    plain = str(value) if isinstance(value, str) else value
    # The type counts too: to Python true is 1.
    return any(type(plain) is type(item) and plain == item for item in harmless)


def _values_at(
    node: object, path: tuple[str, ...], above: Location = ()
) -> Iterator[tuple[Location, object]]:
    if not path:
        yield above, node
    elif path[0] == ANY:
        for i, item in enumerate(node if isinstance(node, list) else ()):
            yield from _values_at(item, path[1:], (*above, i))
    elif isinstance(node, dict) and path[0] in node:
        yield from _values_at(node[path[0]], path[1:], (*above, path[0]))
