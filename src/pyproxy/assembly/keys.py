"""The API keys of a configuration, from every source."""

from pathlib import Path

from pyproxy.config.auth import AuthSettings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.identity.keyring import KeyRing
from pyproxy.identity.keys_file import KeyEntry, parse_keys_file, parse_plain_keys


def read_entries(auth: AuthSettings) -> tuple[KeyEntry, ...]:
    """Every key that the configuration names. Reads the keys file.

    Raises:
        ConfigurationError: The file cannot be read, or with each of its faults.
    """
    plain = parse_plain_keys((key.reveal() for key in auth.keys), "auth.keys")
    return (*plain, *read_file_entries(auth.keys_file)) if auth.keys_file else plain


def read_keyring(auth: AuthSettings) -> KeyRing:
    """The keys in force. Reads the keys file.

    Raises:
        ConfigurationError: As ``read_entries``, or two keys of one name.
    """
    return KeyRing.build(read_entries(auth))


def read_file_entries(path: str) -> tuple[KeyEntry, ...]:
    """The keys of a keys file.

    Raises:
        ConfigurationError: It cannot be read, or with each of its faults.
    """
    try:
        text = Path(path).read_text("utf-8")
    except UnicodeDecodeError as exc:
        raise ConfigurationError(Fault(path, "is not UTF-8 text")) from exc
    except OSError as exc:
        problem = f"cannot be read: {(exc.strerror or 'error').lower()}"
        raise ConfigurationError(Fault(path, problem)) from exc
    return parse_keys_file(text, path)
