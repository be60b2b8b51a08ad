"""``pyproxy version``: what a bug report needs to say."""

import platform
import ssl
from importlib import metadata

import click

MISSING = "(not installed)"
LIBRARIES = ("aiohttp", "bcrypt", "click", "cryptography", "pydantic", "pyjwt", "uvloop")


@click.command()
def version() -> None:
    """Print the versions of pyproxy and of what it stands on."""
    click.echo(f"pyproxy {installed('pyproxy')}")
    click.echo(f"Python {platform.python_version()} ({platform.python_implementation()})")
    click.echo(ssl.OPENSSL_VERSION)
    click.echo(f"event loop {'asyncio' if installed('uvloop') == MISSING else 'uvloop'}")
    click.echo(", ".join(f"{name} {installed(name)}" for name in LIBRARIES))


def installed(distribution: str) -> str:
    """A distribution's version, or that it is missing."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return MISSING
