"""Which configuration a command is about, and the option that says so."""

import os
from pathlib import Path

import click

from pyproxy.config.load import Loaded, load

DEFAULT_FILE = Path("pyproxy.toml")

config_option = click.option(
    "--config",
    "-c",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PYPROXY_CONFIG",
    show_envvar=True,
    help="The configuration.  [default: ./pyproxy.toml if there, else the environment alone]",
)


def find(config_file: Path | None) -> Path | None:
    """The configuration file that counts: the one named, else ``./pyproxy.toml`` if there."""
    if config_file is not None:
        return config_file
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def load_configuration(config_file: Path | None) -> Loaded:
    """Load what ``--config`` names, or what stands for it.

    Raises:
        ConfigurationError: With every fault found.
    """
    return load(find(config_file), os.environ, Path.cwd())
