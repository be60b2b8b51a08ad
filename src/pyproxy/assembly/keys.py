"""The API keys of a configuration, from every source."""

from pyproxy.config.auth import AuthSettings
from pyproxy.config.files import MOST_OF_KEYS, read_text_file
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
    return parse_keys_file(read_text_file(path, MOST_OF_KEYS), path)
