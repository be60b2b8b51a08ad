"""What can be served and leads nowhere: said by ``check``, to who has time to read it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pyproxy.assembly.keys import read_entries
from pyproxy.assembly.tokens import read_local_keys
from pyproxy.cli.key_use import lost_routes, unknown_users
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import Fault
from pyproxy.identity.keys_file import KeyEntry

# A credential that is nobody's costs a hash for each, 0.2 s at cost 12: two seconds of a
# core for every wrong key that anybody sends.
_MANY_BCRYPT_KEYS: Final = 10


def advice(settings: Settings) -> Iterator[Fault]:
    """Remarks on keys, users, key sets and the audit log. Looks at their files.

    Raises:
        ConfigurationError: A file cannot be used.
    """
    yield from _on_keys(settings)
    yield from _on_key_set(settings)
    yield from _on_audit_log(settings.server.log.audit)


def _on_keys(settings: Settings) -> Iterator[Fault]:
    entries, path = read_entries(settings.auth), settings.auth.keys_file
    yield from lost_routes(entries, settings.routes)
    if path and len(entries) == len(settings.auth.keys):
        yield Fault(path, "holds no key; 'pyproxy keys new NAME' adds one")
    yield from unknown_users(entries, settings.routes)
    yield from _on_slow_keys(entries, path)


def _on_slow_keys(entries: Sequence[KeyEntry], path: str) -> Iterator[Fault]:
    slow = sum(entry.scheme == "bcrypt" for entry in entries)
    if slow > _MANY_BCRYPT_KEYS:
        problem = (
            f"holds {slow} bcrypt keys, and each wrong key that is sent is hashed for all of "
            "them; 'pyproxy keys new NAME' makes keys that are looked up at once"
        )
        yield Fault(path, problem)


def _on_key_set(settings: Settings) -> Iterator[Fault]:
    path = settings.auth.jwt.jwks_file
    if not path:
        return
    verifying = read_local_keys(settings.auth.jwt).verifying
    if not verifying.keys:
        yield Fault(path, "holds no usable key, so no token is good by it")
    if verifying.has_private_key:
        problem = "holds a private key, which mints; keep it in auth.jwt.signing_keys_file instead"
        yield Fault(path, problem)


def _on_audit_log(target: str) -> Iterator[Fault]:
    """Not opened, which would make it: as another user than the gateway's, that shuts it out."""
    path = Path(target)
    if not path.is_absolute():  # a standard stream
        return
    try:
        place = path if path.exists() else path.parent
        is_there = place.exists()
    except OSError as exc:  # a name too long, or a folder that nobody may look into
        yield Fault("server.log.audit", f"cannot be written: {exc.strerror}")
        return
    if not is_there:
        yield Fault("server.log.audit", f"{place}: no such folder; 'pyproxy serve' would not start")
    elif not os.access(place, os.W_OK):
        yield Fault("server.log.audit", f"{place}: this user may not write there")
