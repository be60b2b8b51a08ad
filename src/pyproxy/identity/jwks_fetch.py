"""One document fetched from a server that is trusted for its name alone."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aiohttp import (
    BaseConnector,
    ClientConnectionError,
    ClientError,
    ClientHttpProxyError,
    ClientPayloadError,
    ClientProxyConnectionError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    ServerDisconnectedError,
)
from yarl import URL

from pyproxy.config.proxy import Proxy
from pyproxy.identity.jwks import MAX_SET_BYTES

_TIMEOUT_S: Final = 5.0
_CHUNK_BYTES: Final = 16 * 1024
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
)
# No user name or password: they would end up in logs.
_HTTPS = re.compile(r"https://[^\s/?#@\\]+(?:[/?][^\s#]*)?")
# RFC 9110 §8.8.3; a longer one is not worth keeping.
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,256}"')


Explain = Callable[[BaseException], str]
"""Says in words why a connection failed, and holds nothing that the server sent."""


ProxyFor = Callable[[str, int], Proxy | None]
"""Says through which proxy a host and port are reached; ``None``: directly."""


class FetchFailed(Exception):
    """No document, and why; the words hold nothing that the server sent."""


@dataclass(slots=True)
class Fetched:
    """A document.

    Attributes:
        body: At most 256 KiB.
        etag: To ask with the next time; empty for none.
    """

    body: bytes
    etag: str


def open_session(connector: BaseConnector, timeout_s: float = _TIMEOUT_S) -> ClientSession:
    """A session that keeps no cookies and takes nothing from the environment.

    Args:
        connector: Its TLS context says which CA is trusted; the session owns it.
        timeout_s: For a whole fetch, from the name's look-up to the last byte.
    """
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=ClientTimeout(total=timeout_s),
    )


async def fetch(
    session: ClientSession, url: str, explain: Explain, proxy_for: ProxyFor, etag: str = ""
) -> Fetched | None:
    """The document at ``url``, or ``None`` if it is still the one with this ``etag``.

    Over https only and without following redirects: an address that was not
    configured is never asked. The body is read up to the limit, not beyond, and
    never decompressed. The time is the session's.

    Args:
        session: From ``open_session``.
        url: Absolute.
        explain: For what the system says.
        proxy_for: Asked for the way to the URL's host.
        etag: Of the document at hand; empty for none.

    Raises:
        FetchFailed: Whatever went wrong.
    """
    if _HTTPS.fullmatch(url) is None:
        raise FetchFailed("not an https address")
    headers = {**_HEADERS, "If-None-Match": etag} if etag else _HEADERS
    try:
        proxy = _proxy(url, proxy_for)
        async with session.get(
            url,
            headers=headers,
            allow_redirects=False,
            proxy=f"http://{proxy.name}" if proxy else None,
            proxy_headers=_shown_to(proxy),
        ) as response:
            if response.status == _NOT_MODIFIED and etag:
                return None
            return await _read(response)
    except TimeoutError as exc:
        raise FetchFailed("no answer in time") from exc
    except ClientHttpProxyError as exc:
        raise FetchFailed(f"the proxy answered {exc.status}") from exc
    except ClientProxyConnectionError as exc:
        raise FetchFailed(f"the proxy cannot be reached: {explain(exc)}") from exc
    except (ClientError, OSError, ValueError) as exc:
        raise FetchFailed(_reason(exc, explain)) from exc


def _proxy(url: str, proxy_for: ProxyFor) -> Proxy | None:
    try:
        asked = URL(url)
    except ValueError as exc:
        raise InvalidURL(url) from exc
    return proxy_for(asked.raw_host or "", asked.port or 0)


def _shown_to(proxy: Proxy | None) -> Mapping[str, str]:
    if proxy is None or proxy.authorization is None:
        return {}
    return {"Proxy-Authorization": proxy.authorization.reveal()}


def _reason(error: Exception, explain: Explain) -> str:
    match error:
        case ServerDisconnectedError():
            return "closed by the other side"
        case ClientConnectionError() | OSError() | UnicodeError():
            return explain(error)
        case ClientPayloadError():
            return "the answer broke off"
        case InvalidURL():
            return "not an address that can be asked"
        case _:
            return "the answer is malformed"


async def _read(response: ClientResponse) -> Fetched:
    if response.status != _OK:
        raise FetchFailed(f"status {response.status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed("compressed, though not asked for")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_SET_BYTES:
            raise FetchFailed(f"more than {MAX_SET_BYTES // 1024} KiB")
    etag = response.headers.get("ETag", "")
    return Fetched(bytes(body), etag if _ETAG.fullmatch(etag) else "")
