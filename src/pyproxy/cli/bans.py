"""``pyproxy bans``: who is shut out of the running gateway, and letting one in again."""

import http.client
import json
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import click

from pyproxy.cli.admin_access import NoAnswer, access_to
from pyproxy.cli.figures import span
from pyproxy.cli.speech import fault
from pyproxy.cli.status import bans_from
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.telemetry.style import shown

# An IPv6 network in full takes 43.
_WIDEST: Final = 45


def list_(config_file: Path | None, url: str, token: str, *, is_json: bool) -> int:
    """List the bans in force, and how long each still lasts."""
    access = access_to(config_file, url, token)
    try:
        found = bans_from(access)
    except NoAnswer as error:
        return _failed(error)
    if is_json:
        click.echo(json.dumps(found.model_dump()))
        return 0
    if not found.bans:
        click.echo("Nobody is banned.", err=True)
    for each in found.bans:
        click.echo(f"{shown(each.address, _WIDEST):{_WIDEST}} {span(each.seconds_left)}")
    return 0


def lift(address: str, config_file: Path | None, url: str, token: str) -> int:
    """Let ADDRESS in again, as `bans list` shows it; exit 1 if it was not banned."""
    _check(address)
    access = access_to(config_file, url, token)
    try:
        answer = access.ask(f"/bans?{urlencode({'address': address})}", "DELETE")
    except NoAnswer as error:
        return _failed(error)
    if answer.status == http.client.NOT_FOUND:
        fault(f"{address} is not banned")
        return 1
    click.echo(f"{address} may come in again.", err=True)
    return 0


def _check(address: str) -> None:
    try:
        ip_network(address, strict=False)
    except ValueError as error:
        problem = f"{address!r} is no IP address, such as 192.0.2.7 or 2001:db8::/64"
        raise ConfigurationError(Fault("ADDRESS", problem)) from error


def _failed(error: NoAnswer) -> int:
    fault(error)
    return 1
