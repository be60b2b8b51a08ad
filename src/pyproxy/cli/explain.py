"""``pyproxy explain``: what would become of a request, without sending it."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import click

from pyproxy.assembly.listeners import Group, group_listeners
from pyproxy.assembly.origins import upstreams
from pyproxy.cli.addresses import base_url
from pyproxy.cli.configuration import load_configuration
from pyproxy.cli.outline import limits_of
from pyproxy.cli.rehearsal import Outcome, rehearse
from pyproxy.cli.speech import say
from pyproxy.config.origin import DEFAULT_PORTS
from pyproxy.config.route import RouteSettings
from pyproxy.config.settings import Settings
from pyproxy.downstream.peer import Peer
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.telemetry.style import GREEN, RED
from pyproxy.transform.credential_places import CREDENTIAL_FIELDS, CREDENTIAL_QUERY

HIDDEN = "***"
_LABEL: Final = 10  # columns
# What became of it; everything else is plain.
_COLOURS: Final = {"refused": RED, "because": RED, "let in": GREEN, "answered": GREEN}
# By hand: a URL library would tidy up the very dots and slashes that matter here.
_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#\s]+)(?P<target>[^#\s]*)")


def explain(
    config_file: Path | None, method: str, url: str, headers: tuple[str, ...], address: str
) -> int:
    """Say what would become of a request for URL; exit 1 if it would be refused.

    The request takes its way through the gateway itself; only the upstream is
    left out, and the body: where a route allows some models alone, one that is
    in the body is not judged. Key sets behind a URL are not fetched, so that
    their tokens are unknown here.
    """
    _check_address(address)
    settings = load_configuration(config_file).settings
    found = _URL.fullmatch(url)
    if found is None:
        raise ConfigurationError(Fault("URL", _no_url(url, settings)))
    group = _listener(settings, found["scheme"], found["authority"])
    lines = [f"{method} {found['target'] or '/'} HTTP/1.1", f"Host: {found['authority']}", *headers]
    head = "".join(f"{line}\r\n" for line in [*lines, ""]).encode("utf-8", "surrogateescape")
    peer = Peer(address, group.is_tls)
    with closing(rehearse(settings, group.bind, head, peer)) as rehearsal:
        outcome = asyncio.run(rehearsal)
    if group.proxy_protocol:
        click.echo(f"{'behind':<10} a balancer, whose PROXY header says that it is from {address}")
    for line in describe(outcome, settings):
        label = line[:_LABEL]
        if colour := _COLOURS.get(label.rstrip()):
            say(label, line[_LABEL + 1 :], colour)
        else:
            click.echo(line)
    return 1 if outcome.is_refused else 0


def _check_address(address: str) -> None:
    try:
        ip_address(address)
    except ValueError as error:
        problem = f"{address!r} is no IP address, such as 192.0.2.7 or 2001:db8::7"
        raise ConfigurationError(Fault("--from", problem)) from error


def describe(outcome: Outcome, settings: Settings) -> Iterator[str]:
    """Route, caller, verdict, limits, and what would be sent; credentials left out."""
    record = outcome.record
    route = next((each for each in settings.routes if each.name == record.get("route")), None)
    for name, text in _facts(outcome, route, settings):
        if text:
            yield f"{name:<{_LABEL}} {text}"
    if outcome.sent:
        yield "would send"
        hidden = _hidden_names(route)
        for line in outcome.sent.decode("latin-1").split("\r\n"):
            if line:
                yield f"  {_without_secrets(line, hidden)}"


def _facts(
    outcome: Outcome, route: RouteSettings | None, settings: Settings
) -> Iterator[tuple[str, str]]:
    record = outcome.record
    yield "route", record.get("route", "")
    yield "client", record.get("ip", "")
    yield "caller", record.get("user", "")
    if outcome.is_refused:
        yield "refused", f"{record['status']} {record['code']}"
        yield "because", "; ".join(dict.fromkeys(filter(None, outcome.reasons)))
    elif outcome.sent:
        yield "let in", f"yes; sent to {record.get('upstream', '')}"
    else:
        yield "answered", f"{record.get('status', '')} by the gateway itself"
    if route is not None:
        yield "models", ", ".join(route.models)
        yield "limits", "; ".join(limits_of(route, settings))
        yield "upstream", ", ".join(map(str, upstreams(route)))


def _no_url(url: str, settings: Settings) -> str:
    here = base_url(settings.listeners[0])
    if url.startswith("/"):
        return f"{url!r} is a path; write all of it, such as {here}{url}"
    return f"{url!r} is none, such as {here}/v1/models"


def _listener(settings: Settings, scheme: str, authority: str) -> Group:
    """The listener on the URL's port, else the first, which is said where a port is asked for."""
    port = re.search(r":(\d{1,5})$", authority)
    wanted = int(port[1]) if port else DEFAULT_PORTS[scheme]
    groups = group_listeners(settings.listeners)
    for group in groups:
        address = group.listeners[0].address
        if not address.path and address.port == wanted:
            return group
    if port:
        click.echo(f"no listener has port {wanted}; asked of {groups[0].bind}", err=True)
    return groups[0]


def _hidden_names(route: RouteSettings | None) -> frozenset[str]:
    """Fields and query parameters whose values are, or may be, secrets."""
    names = {name.decode() for name in (*CREDENTIAL_FIELDS, *CREDENTIAL_QUERY)}
    names |= {name.replace("-", "_") for name in names} | {"cookie", "sec-websocket-protocol"}
    if route is not None:
        names |= {route.credential.header.lower(), route.credential.query.lower()}
        names |= {route.token.header.lower(), *(name.lower() for name in route.request_headers)}
    return frozenset(names)


def _without_secrets(line: str, hidden: frozenset[str]) -> str:
    name, colon, _ = line.partition(":")
    if colon and name.lower() in hidden:
        return f"{name}: {HIDDEN}"
    return re.sub(
        r"([?&])([^=&\s]*)=([^&\s]*)",
        lambda found: f"{found[1]}{found[2]}={HIDDEN}" if found[2].lower() in hidden else found[0],
        line,
    )
