"""The remote key set of a configuration, connected to the worker."""

import asyncio
from collections.abc import Mapping

from aiohttp import ClientSession, TCPConnector

from pyproxy.config.auth import JwtSettings
from pyproxy.identity.jwks_fetch import ProxyFor, open_session
from pyproxy.identity.jwks_source import RemoteKeySet
from pyproxy.identity.key_sets import KeySets
from pyproxy.runtime.journal import Journal
from pyproxy.telemetry.log import Level
from pyproxy.upstream.reason import in_words
from pyproxy.upstream.tls import ClientTls


def remote_key_set(
    jwt: JwtSettings,
    key_sets: KeySets,
    journal: Journal,
    loop: asyncio.AbstractEventLoop,
    proxy_for: ProxyFor,
) -> RemoteKeySet:
    """The source that ``jwks_url`` or ``issuer_url`` names; nothing is fetched yet.

    It goes through the proxy that upstreams go through; ``egress.allow`` is about
    upstreams alone, since no request of a client's gets here.
    """
    tls = ClientTls.load(path="auth.jwt")

    def session() -> ClientSession:
        return open_session(TCPConnector(ssl=tls.context))

    def tell(event: str, details: Mapping[str, str]) -> None:
        journal.audit.put(
            "jwks.reloaded", journal.wall(), result=details.get("result", ""), details=details
        )
        level, message = _consequence(details, has_keys=bool(key_sets.current.keys))
        journal.log.write(level, event, message, details)

    return RemoteKeySet(
        url=jwt.jwks_url,
        issuer_url=jwt.issuer_url,
        ttl_s=jwt.jwks_ttl,
        max_age_s=jwt.jwks_max_age,
        algorithms=jwt.algorithms,
        session_factory=session,
        explain=in_words,
        clock=loop.time,
        on_change=key_sets.replace_remote,
        on_event=tell,
        proxy_for=proxy_for,
    )


def _consequence(details: Mapping[str, str], *, has_keys: bool) -> tuple[Level, str]:
    """How much a fetch matters, and what follows from it.

    Args:
        details: As ``RemoteKeySet`` tells them.
        has_keys: Some keys are in force, from wherever.
    """
    if details.get("keys") == "kept":
        return "warning", "the keys fetched last stay in force up to jwks_max_age"
    if details.get("result") == "failed":
        whose = "only tokens of the local keys" if has_keys else "no token"
        return "error", f"{whose} can be verified until it answers"
    if "alarm" in details:
        return "error", "the source shows keys that should be secret; they are not used"
    if "refused" in details:
        return "warning", "some keys of the set are not used"
    return "info", ""
