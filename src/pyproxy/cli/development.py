"""What ``serve --dev`` makes when it is missing: certificates, keys, an upstream."""

import os
import re
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyproxy.cli.certificate_files import (
    LOCAL_HOSTS,
    CertificateFiles,
    ensure_certificate,
    is_foreign,
)
from pyproxy.cli.configuration import DEMONSTRATION_FILE
from pyproxy.cli.demonstration import HOST, Demonstration, DemonstrationThread
from pyproxy.cli.jwks import key_set_text
from pyproxy.cli.key_lines import with_line, without_key
from pyproxy.cli.keys import key_line, new_key
from pyproxy.cli.named_files import NamedFiles, named_files
from pyproxy.cli.private_file import edit, write_atomically
from pyproxy.config.files import MOST_OF_KEYS, MOST_OF_SECRET, read_text_file
from pyproxy.identity.signing_keys import generate_key_set

CERTS: Final = Path("certs")
CONFIG: Final = DEMONSTRATION_FILE
BIND: Final = "127.0.0.1:5000"
PLAIN_KEY: Final = CERTS / "dev.key"
KEYS: Final = Path("api_keys.dev")
SIGNING_KEYS: Final = Path("signing_keys.json")
KEY_NAME: Final = "dev"
# Where a configuration without routes sends requests: copilot-api's own port.
DEFAULT_UPSTREAM_PORT: Final = 4141

_CONFIG_TEXT: Final = """\
# Written by `pyproxy serve --dev` at each start. To go on from here, copy it one folder
# up, to pyproxy.toml, and change one line, the upstream: the one below is part of that
# `serve --dev` and gone with it. The paths are absolute, so they hold in the copy too.

[[listeners]]
bind = "{bind}"
certificate = {certificate}
private_key = {private_key}

[server.log]
format = "console"

[auth]
keys_file = {keys_file}

[auth.jwt]
signing_keys_file = {signing_keys_file}

[[routes]]
name = "demonstration"
provider = "copilot-api"
upstream = "http://{host}:{port}"
"""
# What a TOML basic string cannot hold as it is, and what the loading would fill in.
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "${": "$${"}


@dataclass(slots=True)
class Development:
    """What is there now.

    Attributes:
        config: The configuration to serve.
        key: A plain key that is let in; empty if only the configuration's own are.
        keys_option: What tells `keys new` of the keys file that is in force.
        ca: What a client must trust; None if no certificate is of our making.
        demonstration: The upstream that was started; None: the configuration names its own.
        made: Sentences on what was made this time.
    """

    config: Path
    key: str
    ca: Path | None
    demonstration: DemonstrationThread | None
    made: list[str]
    keys_option: str = ""


def prepare(config: Path | None, environ: MutableMapping[str, str] = os.environ) -> Development:
    """Make what is missing in the working directory.

    What the configuration leaves to the environment is put there: a keys file
    and signing keys.

    Raises:
        ConfigurationError: A certificate is there and cannot be used.
        OSError: A file cannot be written.
    """
    made: list[str] = []
    demonstration = None
    if config is None:
        demonstration = DemonstrationThread(Demonstration()).start()
        config = CONFIG
        write_atomically(config, _config_text(demonstration.port))
    named = named_files(config, environ)
    if not named.has_routes:
        demonstration = _stand_in()
    ca = _ensure_certificates(named.certificates, made)
    _ensure_signing_keys(named, environ, made)
    key = _ensure_key(named, environ, made)
    option = f"-c {config}" if named.keys_file else f"-f {KEYS}"
    return Development(config, key, ca, demonstration, made, option)


def _config_text(port: int) -> str:
    files = CertificateFiles.under(CERTS)
    return _CONFIG_TEXT.format(
        bind=BIND,
        certificate=_toml_path(files.certificate),
        private_key=_toml_path(files.key),
        keys_file=_toml_path(KEYS),
        signing_keys_file=_toml_path(SIGNING_KEYS),
        host=HOST,
        port=port,
    )


def _toml_path(path: Path) -> str:
    text = re.sub(r'["\\]|\$\{', lambda found: _ESCAPES[found[0]], str(path.absolute()))
    return f'"{text}"'


def _stand_in() -> DemonstrationThread | None:
    """The demonstration where requests go by default, unless somebody answers there."""
    try:
        return DemonstrationThread(Demonstration(), DEFAULT_UPSTREAM_PORT).start()
    except OSError:
        return None


def _ensure_certificates(pairs: Iterable[tuple[Path, Path]], made: list[str]) -> Path | None:
    """One CA for all of them, under ``certs/`` wherever they are: nothing there is published."""
    ours, authority = CertificateFiles.under(CERTS), None
    for certificate, key in pairs:
        files = CertificateFiles(ours.ca_certificate, ours.ca_key, certificate, key)
        if is_foreign(files):
            continue  # somebody brought their own
        if ensure_certificate(files, LOCAL_HOSTS, datetime.now(UTC)):
            made.append(f"{certificate}, signed by {files.ca_certificate}")
        authority = authority or files.ca_certificate
    return authority


def _ensure_signing_keys(
    named: NamedFiles, environ: MutableMapping[str, str], made: list[str]
) -> None:
    path = named.signing_keys_file
    if path is None:
        path = SIGNING_KEYS
        environ["JWT_SIGNING_KEYS"] = str(path.resolve())
    if not path.exists():
        write_atomically(path, key_set_text(generate_key_set("ES256")))
        made.append(f"{os.path.relpath(path)}, which signs tokens")


def _ensure_key(named: NamedFiles, environ: MutableMapping[str, str], made: list[str]) -> str:
    """The development key: the one of last time while it is let in, else a new one."""
    path = named.keys_file
    if path is None and named.has_keys:
        return ""
    if path is None:
        path = KEYS
        environ["API_KEYS_FILE"] = str(path.resolve())
    lines = read_text_file(path, MOST_OF_KEYS).splitlines() if path.exists() else []
    key = read_text_file(PLAIN_KEY, MOST_OF_SECRET).strip() if PLAIN_KEY.exists() else ""
    if key and key_line(KEY_NAME, key) in lines:
        return key
    if path.exists() and path.resolve() != KEYS.resolve():
        return ""  # a keys file of somebody's own: nothing is added to it unasked
    key = new_key()
    write_atomically(PLAIN_KEY, key + "\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    edit(path, lambda text: with_line(_without_dev_key(text), key_line(KEY_NAME, key)))
    made.append(f"{os.path.relpath(path)}, with the key in {PLAIN_KEY}")
    return key


def _without_dev_key(text: str) -> str:
    try:
        return without_key(text, KEY_NAME)
    except KeyError:
        return text
