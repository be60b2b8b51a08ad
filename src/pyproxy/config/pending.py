"""Keys that have a meaning, but not yet in this version."""

from collections.abc import Iterator, Mapping
from typing import Final

from pyproxy.config.finding import Finding, Location

_Keys = Mapping[tuple[str, ...], tuple[object, ...]]

# Refused rather than ignored: who writes a key relies on it. After each key stand the
# values that ask for nothing, which are fine.
_PENDING: Final[_Keys] = {}
# These have no effect either, but stand in many files and endanger nobody.
_IGNORED: Final[_Keys] = {
    ("server", "admin"): ("",),
}


def unsupported(tree: Mapping[str, object]) -> tuple[Finding, ...]:
    """Find keys that this version would have to ignore, and must not.

    Args:
        tree: What was written, before defaults are filled in.
    """
    return tuple(
        Finding(path, "is not supported by this version; leave it out")
        for path in _written(tree, _PENDING)
    )


def ignored(tree: Mapping[str, object]) -> tuple[Finding, ...]:
    """Find keys that this version ignores."""
    return tuple(
        Finding(path, "is not supported by this version and has no effect")
        for path in _written(tree, _IGNORED)
    )


def _written(tree: Mapping[str, object], keys: _Keys) -> Iterator[Location]:
    """Those of the keys that ask for something."""
    for path, harmless in keys.items():
        value = _value_at(tree, path)
        if value is not None and not _is_among(value, harmless):
            yield path


def _is_among(value: object, harmless: tuple[object, ...]) -> bool:
    plain = str(value) if isinstance(value, str) else value
    # The type counts too: to Python true is 1.
    return any(type(plain) is type(item) and plain == item for item in harmless)


def _value_at(node: object, path: tuple[str, ...]) -> object:
    """What stands there; ``None``, which TOML has not: nothing."""
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node
