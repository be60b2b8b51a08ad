"""``pyproxy jwks``: the keys that sign tokens."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from pyproxy.cli.configuration import find
from pyproxy.cli.named_files import SIGNING_KEYS_FILE, named_files
from pyproxy.cli.private_file import edit
from pyproxy.config.files import MOST_OF_KEY_SET, read_file
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.identity.jwk_members import BadKey
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.jws_algorithms import ALGORITHMS
from pyproxy.identity.signing_keys import generate_key_set, rotate as rotated


def new(alg: str, keys_file: Path | None, config_file: Path | None) -> None:
    """Make a key set with one key."""
    path = _choose(keys_file, config_file)
    if path.exists():
        raise ConfigurationError(Fault(str(path), "exists; 'pyproxy jwks rotate' adds a key to it"))
    _replace(path, lambda _: key_set_text(generate_key_set(alg)))
    click.echo(f"{path} signs with {alg}; keep it to yourself.", err=True)


def public(keys_file: Path | None, config_file: Path | None) -> None:
    """Print the set's public half."""
    path = _choose(keys_file, config_file)
    _require(path)
    key_set = _parse(read_file(path, MOST_OF_KEY_SET), path)
    click.echo(json.dumps(json.loads(key_set.to_public()), indent=2))


def rotate(alg: str | None, keys_file: Path | None, config_file: Path | None) -> None:
    """Add a key that signs from now on; the old ones still verify."""
    path = _choose(keys_file, config_file)
    _require(path)

    def with_new_key(text: str) -> str:
        keys = _parse(text.encode(), path).keys
        if not alg and not keys:
            raise ConfigurationError(Fault(str(path), "has no usable key; say --alg"))
        return key_set_text(rotated(json.loads(text), alg or keys[0].alg))

    _replace(path, with_new_key)
    click.echo(f"{path} has a new key in front, which signs.", err=True)


def key_set_text(key_set: dict[str, object]) -> str:
    """The set as its file holds it."""
    return json.dumps(key_set, indent=2) + "\n"


def _choose(keys_file: Path | None, config_file: Path | None) -> Path:
    return keys_file or named_files(find(config_file)).signing_keys_file or SIGNING_KEYS_FILE


def _require(path: Path) -> None:
    if not path.exists():
        raise ConfigurationError(Fault(str(path), "no such file; 'pyproxy jwks new' makes it"))


def _parse(document: bytes, path: Path) -> KeySet:
    return KeySet.parse(document, algorithms=ALGORITHMS, source=str(path), public_only=False)


def _replace(path: Path, change: Callable[[str], str]) -> None:
    try:
        edit(path, change)
    except BadKey as error:
        raise ConfigurationError(Fault(str(path), str(error))) from error
    except OSError as error:
        raise ConfigurationError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: OSError) -> Fault:
    if isinstance(error, FileNotFoundError):
        return Fault(str(path), "no such folder")
    return Fault(str(path), (error.strerror or str(error)).lower())
