"""``pyproxy version``: what a bug report needs to say."""

import json
import platform
import ssl
from importlib import metadata
from typing import Final

import click

MISSING: Final = "(not installed)"
LIBRARIES: Final = ("aiohttp", "bcrypt", "click", "cryptography", "pydantic", "pyjwt", "uvloop")
EXTRAS: Final = {
    "redis": "redis",
    "otel": "opentelemetry-sdk",
    "journald": "logging-journald",
}
"""Names of extras, and what each of them brings."""


def version(*, is_json: bool) -> None:
    """Print the versions of pyproxy and of what it stands on."""
    libraries = {name: installed(name) for name in LIBRARIES}
    extras = {name: installed(brought) for name, brought in EXTRAS.items()}
    loop = "asyncio" if libraries["uvloop"] == MISSING else "uvloop"
    if is_json:
        facts = {
            "pyproxy": installed("pyproxy"),
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "openssl": ssl.OPENSSL_VERSION,
            "event_loop": loop,
            "libraries": _there(libraries),
            "extras": _there(extras),
        }
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"pyproxy {installed('pyproxy')}")
    click.echo(f"Python {platform.python_version()} ({platform.python_implementation()})")
    click.echo(ssl.OPENSSL_VERSION)
    click.echo(f"event loop {loop}")
    click.echo(", ".join(f"{name} {found}" for name, found in libraries.items()))
    named = (f"{name} ({EXTRAS[name]} {found})" for name, found in _there(extras).items())
    click.echo(f"extras: {', '.join(named) or 'none'}")


def installed(distribution: str) -> str:
    """A distribution's version, or that it is missing."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return MISSING


def _there(found: dict[str, str]) -> dict[str, str]:
    return {name: version for name, version in found.items() if version != MISSING}
