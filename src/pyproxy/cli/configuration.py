"""Which configuration a command is about, and the option that says so."""

import os
from pathlib import Path

from pyproxy.config.load import Loaded, load
from pyproxy.errors.fault import ConfigurationError, Fault

DEFAULT_FILE = Path("pyproxy.toml")
DEMONSTRATION_FILE = Path("certs/dev.toml")  # written by `serve --dev`


def find(config_file: Path | None) -> Path | None:
    """The configuration file that counts: the one named, else ``./pyproxy.toml`` if there."""
    if config_file is not None:
        return config_file
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def load_configuration(config_file: Path | None) -> Loaded:
    """Load what ``--config`` names, or what stands for it.

    Raises:
        ConfigurationError: With every fault found; where there is only the demonstration's
            file, with its name and what is wrong with the environment.
    """
    found = find(config_file)
    try:
        return load(found, os.environ, Path.cwd())
    except ConfigurationError as error:
        if found is not None or not DEMONSTRATION_FILE.exists():
            raise
        hint = (
            f"there is no {DEFAULT_FILE} here; for the demonstration's configuration add "
            f"-c {DEMONSTRATION_FILE}"
        )
        # The rest is about defaults, which nobody wrote.
        written = (fault for fault in error.faults if fault.path in os.environ)
        raise ConfigurationError(Fault("", hint), *written) from error
