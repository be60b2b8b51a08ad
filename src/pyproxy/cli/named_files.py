"""Which files a configuration names, seen before it can be loaded.

``serve --dev`` makes the files that are missing, and ``keys`` and ``jwks`` edit
them; a configuration that names a missing file is not sound yet, so it cannot
be asked. What is wrong with it is for the loading to say, not for this module.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KEYS_FILE = Path("api_keys.txt")
SIGNING_KEYS_FILE = Path("signing_keys.json")

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """What a configuration file, or the lack of one, names.

    Attributes:
        certificates: Each listener's certificate and private key.
        keys_file: ``auth.keys_file``.
        signing_keys_file: ``auth.jwt.signing_keys_file``.
        has_routes: Whether it says where requests go.
        has_keys: Whether it names keys or a file of them.
    """

    certificates: tuple[tuple[Path, Path], ...] = ()
    keys_file: Path | None = None
    signing_keys_file: Path | None = None
    has_routes: bool = False
    has_keys: bool = False


def named_files(config: Path | None, environ: Mapping[str, str] = os.environ) -> NamedFiles:
    """Look into the configuration file; one that cannot be read names nothing."""
    try:
        text = "" if config is None else config.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, ValueError):
        return NamedFiles()
    folder = Path() if config is None else config.parent
    auth = _table(document, "auth")
    jwt = _table(auth, "jwt")
    return NamedFiles(
        certificates=_certificates(document, folder),
        keys_file=_path(auth, "keys_file", folder) or _path(environ, "API_KEYS_FILE", Path()),
        signing_keys_file=_path(jwt, "signing_keys_file", folder)
        or _path(environ, "JWT_SIGNING_KEYS", Path()),
        has_routes=bool(document.get("routes")),
        has_keys=bool(auth.get("keys") or environ.get("API_KEY") or environ.get("API_KEYS")),
    )


def _certificates(document: Table, folder: Path) -> tuple[tuple[Path, Path], ...]:
    listeners = document.get("listeners")
    if not isinstance(listeners, list):
        return ((folder / "certs/copilot.crt", folder / "certs/copilot.key"),)
    found = []
    for listener in listeners:
        table = listener if isinstance(listener, dict) else {}
        certificate = _path(table, "certificate", folder)
        private_key = _path(table, "private_key", folder)
        if certificate and private_key:
            found.append((certificate, private_key))
    return tuple(found)


def _table(parent: Table, name: str) -> Table:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _path(table: Table, name: str, folder: Path) -> Path | None:
    """The path under ``name``, unless it is left out or to be filled from the environment."""
    value = table.get(name)
    if not isinstance(value, str) or not value or "${" in value:
        return None
    return folder / value
