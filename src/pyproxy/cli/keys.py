"""``pyproxy keys``: make API keys, hash them, list them, take them back."""

import hashlib
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bcrypt
import click

from pyproxy.cli.configuration import find
from pyproxy.cli.key_lines import describe, is_name, with_line, without_key
from pyproxy.cli.named_files import KEYS_FILE, named_files
from pyproxy.cli.private_file import edit
from pyproxy.cli.speech import fault
from pyproxy.config.files import MOST_OF_KEYS, read_text_file
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.identity.keys_file import parse_keys_file

PREFIX = "pyp_"
KEY_BYTES = 32
# bcrypt looks at 72 bytes and no further (the Blowfish key's length).
BCRYPT_MAX_BYTES = 72
BCRYPT_COST = 12
_NO_FILE = "no such file; 'pyproxy keys new NAME' makes it"


def new(name: str, keys_file: Path | None, config_file: Path | None) -> None:
    """Make a key called NAME, show it once, and keep its hash.

    The key is the only thing on standard output; one that cannot be shown is not kept.
    A running gateway that watches the file takes the key within a second.
    """
    _check_name("NAME", name)
    if sys.stdout is None:
        raise ConfigurationError(Fault("", "standard output is closed: the key cannot be shown"))
    path = _choose(keys_file, config_file)
    key = new_key()
    line = key_line(name, key)
    _edit(path, lambda text: with_line(text, line))
    try:
        click.echo(key)
    except OSError as exc:
        _edit(path, lambda text: text.replace(f"{line}\n", "", 1))
        problem = f"standard output: {(exc.strerror or str(exc)).lower()}; no key was made"
        raise ConfigurationError(Fault("", problem)) from exc
    click.echo(f"{name}'s hash is in {path}; the key is shown this once.", err=True)


def hash_(name: str | None) -> None:
    """Hash a key with bcrypt, from a prompt or from standard input."""
    if name is not None:
        _check_name("--name", name)
    try:
        secret = _asked().encode()
    except UnicodeError:  # which holds the key
        raise ConfigurationError(Fault("", "standard input is not UTF-8 text")) from None
    if not 0 < len(secret) <= BCRYPT_MAX_BYTES:
        raise ConfigurationError(
            Fault("", f"a key for bcrypt has 1 to {BCRYPT_MAX_BYTES} bytes, this one {len(secret)}")
        )
    hashed = bcrypt.hashpw(secret, bcrypt.gensalt(BCRYPT_COST)).decode()
    click.echo(f"{name}:{hashed}" if name else hashed)


def list_(keys_file: Path | None, config_file: Path | None) -> None:
    """List the keys' names, kinds and options; never the keys."""
    path = _choose(keys_file, config_file)
    _require(path)
    for entry in parse_keys_file(read_text_file(path, MOST_OF_KEYS), str(path)):
        click.echo(describe(entry, time.time()))


def revoke(name: str, keys_file: Path | None, config_file: Path | None) -> int:
    """Remove the key called NAME, or shown so by `keys list`."""
    path = _choose(keys_file, config_file)
    _require(path)
    try:
        _edit(path, lambda text: without_key(text, name))
    except KeyError:
        fault(f"{path}: no key is named {name}")
        return 1
    click.echo(f"{name} is revoked.", err=True)
    return 0


def _asked() -> str:
    if sys.stdin is None:
        raise ConfigurationError(Fault("", "standard input is closed: nobody can be asked"))
    if sys.stdin.isatty():
        return str(click.prompt("Key", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def new_key() -> str:
    """A key of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(KEY_BYTES)


def key_line(name: str, key: str) -> str:
    """The keys file's line for a generated key; SHA-256 is enough, since nobody can guess it."""
    return f"{name}:sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _check_name(where: str, name: str) -> None:
    if not is_name(name):
        problem = f"{name!r}: 1 to 128 of A-Z a-z 0-9 . _ @ + - are accepted, no dash first"
        raise ConfigurationError(Fault(where, problem))


def _choose(keys_file: Path | None, config_file: Path | None) -> Path:
    return keys_file or named_files(find(config_file)).keys_file or KEYS_FILE


def _require(path: Path) -> None:
    if not path.exists():
        raise ConfigurationError(Fault(str(path), _NO_FILE))


def _edit(path: Path, change: Callable[[str], str]) -> None:
    try:
        edit(path, change)
    except OSError as error:
        raise ConfigurationError(_unreadable(path, error)) from error
    except ValueError as error:
        raise ConfigurationError(Fault(str(path), str(error))) from error


def _unreadable(path: Path, error: OSError) -> Fault:
    if isinstance(error, FileNotFoundError):
        return Fault(str(path), "no such folder")
    return Fault(str(path), (error.strerror or str(error)).lower())
