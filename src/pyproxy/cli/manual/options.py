"""Options that several commands take."""

from pathlib import Path
from typing import Final

import click

from pyproxy.cli.command import Option

CONFIGURATION: Final = "Configuration"
ADMIN: Final = "Admin listener"


def config_option() -> Option:
    """Which configuration a command is about."""
    option = Option(
        ["--config", "-c", "config_file"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        envvar="PYPROXY_CONFIG",
        show_envvar=True,
        help="Use this configuration. Left out: ./pyproxy.toml if it is there, else what the "
        "environment says.",
    )
    return _under(CONFIGURATION, option)


def url_option() -> Option:
    """Where the running gateway is asked."""
    option = Option(
        ["--url"],
        default="",
        metavar="URL",
        help="Ask here, not where the configuration's server.admin says: http://HOST:PORT, "
        "https://HOST:PORT or unix:PATH.",
    )
    return _under(ADMIN, option)


def token_option() -> Option:
    """What is shown there."""
    option = Option(
        ["--token"],
        default="",
        envvar="ADMIN_TOKEN",
        show_envvar=True,
        metavar="TOKEN",
        help="Show this admin token, not the configuration's server.admin_token. Other users "
        "of the machine can see it here: export it rather.",
    )
    return _under(ADMIN, option)


def _under(heading: str, option: Option) -> Option:
    option.section = heading
    return option
