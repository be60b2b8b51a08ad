"""Which of a configuration's files are for the owner alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

from pyproxy.assembly.keys import read_file_entries
from pyproxy.config.files import MOST_OF_KEY_SET, read_file
from pyproxy.config.secret import LITERAL, Secret
from pyproxy.config.section import Section
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.jwk_members import is_private
from pyproxy.identity.jwks import read_entries


@dataclass(frozen=True, slots=True)
class PrivateFiles:
    """Files that not everybody should read; listeners' keys are ``ServerTls``'s concern.

    Attributes:
        secret: Hold something that lets its reader in, or mint, or be somebody.
        hashed: Hold hashes and names.
    """

    secret: tuple[Path, ...]
    hashed: tuple[Path, ...]


def private_files(settings: Settings) -> PrivateFiles:
    """Look what the files hold; one that cannot be read is for its own reader to report."""
    secret = [*_signing(settings), *_private_keys(settings), *_secrets(settings)]
    hashed: list[Path] = []
    if settings.auth.keys_file:
        keys_file = Path(settings.auth.keys_file)
        (secret if _holds_plain_key(keys_file) else hashed).append(keys_file)
    return PrivateFiles(tuple(dict.fromkeys(secret)), tuple(hashed))


def holds_secrets(settings: Settings) -> bool:
    """Whether a secret stands in the configuration itself."""
    return any(secret.origin == LITERAL for secret in _all_secrets(settings))


def _signing(settings: Settings) -> Iterator[Path]:
    jwt = settings.auth.jwt
    if jwt.signing_keys_file:
        yield Path(jwt.signing_keys_file)
    if jwt.jwks_file and _holds_private_key(Path(jwt.jwks_file)):
        yield Path(jwt.jwks_file)


def _private_keys(settings: Settings) -> Iterator[Path]:
    for route in settings.routes:
        if route.tls.private_key:
            yield Path(route.tls.private_key)
    if settings.store.private_key:
        yield Path(settings.store.private_key)


def _secrets(settings: Settings) -> Iterator[Path]:
    for secret in _all_secrets(settings):
        if secret.file:
            yield Path(secret.file)


def _all_secrets(part: object) -> Iterator[Secret]:
    """Every secret of a configuration, wherever a section keeps it: no list to forget one in."""
    if isinstance(part, Secret):
        yield part
    else:
        for inner in _parts(part):
            yield from _all_secrets(inner)


def _parts(part: object) -> Iterable[object]:
    if isinstance(part, Section):
        return (value for _, value in part)
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, tuple):
        return part
    # Values that were parsed, such as a proxy's address.
    names = (each.name for each in fields(part)) if is_dataclass(part) else ()
    return (getattr(part, name) for name in names)


def _holds_plain_key(path: Path) -> bool:
    try:
        return any(entry.scheme == "plain" for entry in read_file_entries(str(path)))
    except ConfigurationError:
        return False


def _holds_private_key(path: Path) -> bool:
    try:
        entries = read_entries(read_file(path, MOST_OF_KEY_SET), str(path))
    except ConfigurationError:
        return False
    return any(isinstance(entry, dict) and is_private(entry) for entry in entries)
