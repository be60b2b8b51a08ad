"""Which files a configuration names, seen before it can be served.

``serve --dev`` makes the files that are missing, and ``keys`` and ``jwks`` edit
them; a configuration that names a missing file is not sound yet, so it cannot be
loaded. It is read as loading it begins, its other faults left for that to say.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyproxy.config.load import Unjudged, unjudged
from pyproxy.errors.fault import ConfigurationError

KEYS_FILE = Path("api_keys.txt")
SIGNING_KEYS_FILE = Path("signing_keys.json")


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """What a configuration file, or the lack of one, names; paths are absolute.

    Attributes:
        certificates: Each listener's certificate and private key.
        keys_file: ``auth.keys_file``.
        signing_keys_file: ``auth.jwt.signing_keys_file``.
        has_routes: Whether it says where requests go.
        has_keys: Whether it holds keys in plain.
    """

    certificates: tuple[tuple[Path, Path], ...] = ()
    keys_file: Path | None = None
    signing_keys_file: Path | None = None
    has_routes: bool = False
    has_keys: bool = False


def named_files(config: Path | None, environ: Mapping[str, str] = os.environ) -> NamedFiles:
    """Look into the configuration as the environment fills it in.

    Raises:
        ConfigurationError: The file cannot be read, is no TOML, or names one of these
            by a variable that is not set.
    """
    found = unjudged(config, environ, Path.cwd())
    return NamedFiles(
        certificates=tuple(_certificates(found)),
        keys_file=_path(found, "auth", "keys_file"),
        signing_keys_file=_path(found, "auth", "jwt", "signing_keys_file"),
        has_routes=found.has_routes,
        has_keys=bool(_value(found, "auth", "keys")),
    )


def _certificates(found: Unjudged) -> Iterator[tuple[Path, Path]]:
    listeners = found.tree["listeners"]
    for i in range(len(listeners) if isinstance(listeners, list) else 0):
        certificate = _path(found, "listeners", i, "certificate")
        private_key = _path(found, "listeners", i, "private_key")
        if certificate and private_key:
            yield certificate, private_key


def _path(found: Unjudged, *where: str | int) -> Path | None:
    value = _value(found, *where)
    if not isinstance(value, str) or not value:
        return None
    faults = [finding.to_fault({}) for finding in found.findings if finding.where == where]
    if faults:
        raise ConfigurationError(*faults)
    return Path(found.doors.resolve(value))


def _value(found: Unjudged, *where: str | int) -> object:
    node: object = found.tree
    for part in where:
        if isinstance(node, list) and isinstance(part, int):
            node = node[part]
        else:
            node = node.get(part) if isinstance(node, dict) else None
    return node
