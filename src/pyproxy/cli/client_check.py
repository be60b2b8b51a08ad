"""A client's side: nothing of a provider's in its environment, and a gateway it can trust."""

import os
import urllib.parse
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Final

from pyproxy.cli.client_keys import key_faults, own_keys
from pyproxy.cli.client_probe import PROBES, probe
from pyproxy.cli.inquiry import port_of, unreached
from pyproxy.cli.provider_keys import looks_real, provider_keys
from pyproxy.cli.trust import TRUST_VARIABLES
from pyproxy.config.origin import DEFAULT_PORTS
from pyproxy.egress.spared import Spared, are_spared, entries_in
from pyproxy.errors.fault import Fault
from pyproxy.providers.clients import ALL_CLIENTS

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def client_faults(url: str, environ: Mapping[str, str], timeout_s: float) -> Iterator[Fault]:
    """What is wrong on this side of the gateway at ``url``; names of variables, never values."""
    parts = _parsed(url)
    brought = own_keys(environ, lambda name: _leads_to(parts, environ.get(name, "")))
    known = [
        *(fault for fault in provider_keys(environ) if fault.path not in brought),
        *key_faults(environ),
        *_misleading(environ),
    ]
    yield from known
    if "@" in url:
        yield Fault("--client", "holds a user or password, which no client of the gateway needs")
        return
    if parts is None:
        yield Fault("--client", f"{url!r} is no URL such as https://gateway.example:5000")
        return
    yield from _detour(parts, environ)
    problem = unreached(parts, timeout_s)
    if problem:
        yield Fault(url, problem)
    yield from _straight(environ)
    astray = list(_astray(parts, environ, timeout_s))
    yield from astray
    if not problem:
        faulty = {fault.path for fault in (*known, *astray)}
        yield from _unserved(environ, faulty, timeout_s)


def _misleading(environ: Mapping[str, str]) -> Iterator[Fault]:
    if environ.get("ANTHROPIC_BASE_URL", "").rstrip("/").endswith("/v1"):
        yield Fault("ANTHROPIC_BASE_URL", "ends in /v1, which the SDK adds itself; leave it out")
    for name in TRUST_VARIABLES:
        path = environ.get(name)
        if path and not os.path.exists(path):  # noqa: PTH110 - quiet about names that are too long
            yield Fault(name, f"there is no file {path}; an absolute path holds in every folder")


def _straight(environ: Mapping[str, str]) -> Iterator[Fault]:
    """Clients with a key and nothing that leads them to the gateway."""
    for clients in ALL_CLIENTS:
        names = [name for name, _ in clients.base_urls]
        if not clients.finds_itself or any(environ.get(name) for name in names):
            continue
        for key in (*clients.keys, *clients.own_keys):
            value = environ.get(key, "").strip()
            if value and not looks_real(key, value):
                problem = f"is not set, though {key} is: its clients go straight to the provider"
                yield Fault(names[0], problem)
                break


def _astray(
    gateway: urllib.parse.SplitResult, environ: Mapping[str, str], timeout_s: float
) -> Iterator[Fault]:
    """Base URLs that lead elsewhere, or to a listener of the gateway's that cannot be reached."""
    reached = {_origin(gateway): ""}
    for name in dict.fromkeys(name for clients in ALL_CLIENTS for name, _ in clients.base_urls):
        if not (value := environ.get(name, "")):
            continue
        parts = _parsed(value)
        if parts is None:
            yield Fault(name, "is no URL such as https://gateway.example:5000")
        elif _machine(parts) != _machine(gateway):
            yield Fault(name, f"leads to {parts.hostname}, not to the gateway")
        else:
            if _origin(parts) not in reached:
                reached[_origin(parts)] = unreached(parts, timeout_s)
            if problem := reached[_origin(parts)]:
                yield Fault(name, problem)


def _unserved(
    environ: Mapping[str, str], faulty: Collection[str], timeout_s: float
) -> Iterator[Fault]:
    """Clients whom the gateway turns away; those of which something is known are not asked for."""
    for each in PROBES:
        parts = _parsed(environ.get(each.base_url, ""))
        if parts is not None and not {each.base_url, *each.variables} & {*faulty}:
            yield from probe(each, parts, environ, timeout_s)


def _leads_to(gateway: urllib.parse.SplitResult | None, value: str) -> bool:
    parts = _parsed(value)
    return gateway is not None and parts is not None and _machine(parts) == _machine(gateway)


def _parsed(url: str) -> urllib.parse.SplitResult | None:
    """A URL of HTTP, taken apart; None if it is none."""
    try:
        parts = urllib.parse.urlsplit(url)
        is_sound = parts.scheme in DEFAULT_PORTS and parts.hostname and port_of(parts)
    except ValueError:  # an address with one bracket, a port that cannot be
        return None
    return parts if is_sound and " " not in parts.netloc else None


def _machine(parts: urllib.parse.SplitResult) -> str:
    host = parts.hostname or ""
    return "localhost" if host in _LOOPBACK else host


def _origin(parts: urllib.parse.SplitResult) -> tuple[str, str, int]:
    return parts.scheme, _machine(parts), port_of(parts)


def _detour(gateway: urllib.parse.SplitResult, environ: Mapping[str, str]) -> Iterator[Fault]:
    """A proxy of the environment that stands between the client and the gateway."""
    names = (f"{gateway.scheme}_proxy", f"{gateway.scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    spared = environ.get("no_proxy") or environ.get("NO_PROXY", "")
    host = gateway.hostname or ""
    name = next((name for name in names if environ.get(name)), "")
    if name and not _is_spared(host, port_of(gateway), spared):
        yield Fault(name, f"leads requests for {host} through a proxy; add {host} to NO_PROXY")


def _is_spared(host: str, port: int, no_proxy: str) -> bool:
    """Whether the proxy is left out; an entry that nobody would understand counts for nothing."""
    entries = []
    for text in entries_in(no_proxy):
        with suppress(ValueError):
            entries.append(Spared.parse(text))
    return are_spared(entries, host, port)
