"""Files that a configuration names and that are not there: by which key, and what makes them."""

from collections.abc import Iterator
from pathlib import Path

from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault


def missing_files(settings: Settings) -> dict[str, Fault]:
    """A fault for every file that is missing, by its path. Reads the file system."""
    faults: dict[str, Fault] = {}
    for place, path, remedy in _named(settings):
        if path and path not in faults and _is_missing(Path(path)):
            faults[path] = Fault(place, f"{path}: cannot be read: no such file{remedy}")
    return faults


def with_remedies(error: ConfigurationError, settings: Settings) -> ConfigurationError:
    """The same faults; those of missing files by the key that names them, and what makes them."""
    missing = missing_files(settings)
    faults = (missing.get(fault.path, fault) for fault in error.faults)
    return ConfigurationError(*dict.fromkeys(faults))


def _named(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Each key that names a file, the file, and the end of a sentence: what makes it."""
    for i, listener in enumerate(settings.listeners):
        for key in ("certificate", "private_key"):
            path = getattr(listener, key)
            yield f"listeners[{i}].{key}", path, _certificate_remedy(Path(path))
        yield f"listeners[{i}].client_ca", listener.client_ca, ""
    auth = settings.auth
    yield "auth.keys_file", auth.keys_file, "; 'pyproxy keys new NAME' makes it"
    yield "auth.jwt.jwks_file", auth.jwt.jwks_file, "; put the key set there that verifies tokens"
    yield "auth.jwt.signing_keys_file", auth.jwt.signing_keys_file, "; 'pyproxy jwks new' makes it"
    for i, route in enumerate(settings.routes):
        for key in ("ca", "certificate", "private_key"):
            yield f"routes[{i}].tls.{key}", getattr(route.tls, key), f" (route {route.name})"


def _certificate_remedy(path: Path) -> str:
    if path.stem == "copilot":
        return f"; 'pyproxy cert --dir {path.parent}' makes it, for development"
    return "; 'pyproxy serve --dev' makes it, for development"


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it is there; who reads it says what is wrong
        return False
    return False
