"""Whether an upstream can be reached: name, connection, TLS, HTTP, the way that requests take."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Final

from pyproxy.assembly.egress import address_of
from pyproxy.config.origin import Origin
from pyproxy.config.route import UpstreamTlsSettings
from pyproxy.errors.refusal import Refusal, UpstreamUnreachable
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.upstream.endpoint import Endpoint
from pyproxy.upstream.hearing import status_of
from pyproxy.upstream.tls import ClientTls, TlsFiles
from pyproxy.upstream.tunnel import TunnelRefused
from pyproxy.upstream.unreached import Step, Unreached
from pyproxy.upstream.way import Way

_END: Final = b"Accept: */*\r\nConnection: close\r\n\r\n"
_AT_THE_PROXY: Final[tuple[Step, ...]] = ("name", "connection", "tunnel")


class Unreachable(Exception):
    """How far it went, and what happened then; a sentence."""


def reach(origin: Origin, tls: UpstreamTlsSettings, timeout_s: float, where: str, way: Way) -> str:
    """Ask the upstream for ``/``, without any credential of its own.

    The connection is made by what makes those of requests, so that what is found here is
    what they will find.

    Args:
        origin: Whom to ask.
        tls: What to trust and to show.
        timeout_s: For a connection, and for the answer.
        where: The settings' path, for faults: ``routes[0].tls``.
        way: To it.

    Returns:
        What it answered, for a person: any status means that it is there.

    Raises:
        Unreachable: It is not, and at which step it failed.
        ConfigurationError: A TLS file is missing or broken.
    """
    client = _client_tls(tls, where) if origin.is_tls else None
    with closing(_reach(origin, client, timeout_s, way)) as asking:  # Ctrl-C may come before it
        return asyncio.run(asking)


async def _reach(origin: Origin, client: ClientTls | None, timeout_s: float, way: Way) -> str:
    loop = asyncio.get_running_loop()
    endpoint = Endpoint(address_of(origin, client, way), loop)
    try:
        connection = await endpoint.reach(timeout_s)
    except Unreached as refusal:
        raise Unreachable(_how_far(refusal, origin, way)) from refusal
    except TunnelRefused as refusal:
        raise Unreachable(f"no connection: {refusal.detail}") from refusal
    except UpstreamUnreachable as refusal:  # by its certificate's pin
        raise Unreachable(f"no TLS: {refusal.detail}") from refusal
    spoken = _spoken(connection, way)
    line = f"GET {origin.path or '/'} HTTP/1.1\r\n".encode()
    try:
        status = await status_of(
            connection, line + endpoint.host_line + _END, loop.time() + timeout_s
        )
    except TimeoutError as error:
        raise Unreachable("no HTTP answer: took too long") from error
    except Refusal as refusal:
        raise Unreachable(f"no HTTP answer: {refusal.detail}") from refusal
    finally:
        endpoint.close()
    return f"{spoken}, answers {status}"


def _how_far(refusal: Unreached, origin: Origin, way: Way) -> str:
    if way.proxy is not None and refusal.step in _AT_THE_PROXY:
        return f"no connection: {refusal.detail}"
    match refusal.step:
        case "name" if refusal.why.startswith(f"{origin.host} resolves to"):
            return refusal.why
        case "name":
            return f"{origin.host} cannot be resolved: {refusal.why}"
        case "tls":
            return f"no TLS: {refusal.why}"
        case _:
            return f"no connection: {refusal.why}"


def _spoken(connection: UpstreamConnection, way: Way) -> str:
    tls = connection.transport.get_extra_info("ssl_object")
    spoken = str(tls.version()) if tls is not None else "HTTP"
    return f"{spoken} through the proxy {way.proxy.name}" if way.proxy else spoken


def _client_tls(tls: UpstreamTlsSettings, where: str) -> ClientTls:
    files = TlsFiles(_path(tls.ca), _path(tls.certificate), _path(tls.private_key))
    return ClientTls.load(files, tls.server_name, tls.pin_sha256, where)


def _path(text: str) -> Path | None:
    return Path(text) if text else None
