"""What a shell offers to complete: names from the configuration and from the keys file.

It is asked at every press of a key: nothing is said of what is wrong, no network is
reached, no secret's file is read, and the configuration is not judged.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

DEFAULT_FILE: Final = Path("pyproxy.toml")
DEFAULT_KEYS_FILE: Final = Path("api_keys.txt")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
# Larger files take longer to read than a person waits for a key.
_MOST: Final = 1024 * 1024
# A line of which nothing but its name may be told: whatever else holds a colon may be a key.
_HASHED: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._@+-]{0,127}):(?:sha256:|\$2)", re.MULTILINE)

# What a shell takes for one word and nothing else. bash puts what is offered on the command line
# as it is, so that `$(...)` in a configuration of somebody else's would be run.
_PLAIN: Final = re.compile(r"\w[\w.@+:/-]*")


def methods(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Methods that requests usually have."""
    return [name for name in METHODS if name.startswith(begun.upper())]


def route_names(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Names of the configuration's routes."""
    return [name for name in _routes(_tree(_file(ctx))) if name.startswith(begun)]


def key_names(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Names in the keys file."""
    text = _text(_keys_file(ctx))
    return [name for name in dict.fromkeys(_HASHED.findall(text)) if name.startswith(begun)]


def _keys_file(ctx: click.Context) -> Path:
    if isinstance(named := ctx.params.get("keys_file"), Path):
        return named
    file = _file(ctx)
    auth = _tree(file).get("auth")
    path = auth.get("keys_file") if isinstance(auth, dict) else None
    if isinstance(path, str) and path:
        return file.parent / path
    return Path(os.environ.get("API_KEYS_FILE") or DEFAULT_KEYS_FILE)


def _file(ctx: click.Context) -> Path:
    named = ctx.params.get("config_file")
    return named if isinstance(named, Path) else DEFAULT_FILE


def _routes(tree: dict[str, object]) -> Iterator[str]:
    routes = tree.get("routes")
    for route in routes if isinstance(routes, list) else ():
        name = route.get("name") if isinstance(route, dict) else None
        if isinstance(name, str) and _PLAIN.fullmatch(name):
            yield name


def _tree(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(_text(file))
    except (ValueError, RecursionError):  # no TOML, or a number of too many digits
        return {}


def _text(file: Path) -> str:
    """A regular file's text; empty if it is none, too large, or may not be read."""
    try:
        if not file.is_file() or file.stat().st_size > _MOST:
            return ""
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return ""
