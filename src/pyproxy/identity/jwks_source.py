"""A remote key set, kept fresh in the background."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from typing import Final

from aiohttp import ClientSession

from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.jwks import BadKeySet, KeySet
from pyproxy.identity.jwks_fetch import Explain, Fetched, FetchFailed, ProxyFor, fetch
from pyproxy.identity.jwks_freshness import Freshness
from pyproxy.identity.openid import discovery_url, read_jwks_uri

# No request waits longer for a key set than this.
_PATIENCE_S: Final = 1.0
# Where the keys are changes rarely; that a provider moves them must be seen.
_DISCOVERY_TTL_S: Final = 3600.0
_MAX_SPOKEN_FAULTS: Final = 5

EventSink = Callable[[str, Mapping[str, str]], None]
ChangeSink = Callable[[KeySet | None], None]


class RemoteKeySet:
    """The keys at a URL, or of an OpenID issuer.

    ``run`` alone fetches, so there is one fetch at a time whoever asks. While the
    source is down, slow or talks nonsense, the keys last fetched stay in force up
    to their maximum age; so they do when it offers no usable key at all.

    Attributes:
        source: Its URL, or the issuer's, without a query.
    """

    def __init__(
        self,
        *,
        url: str = "",
        issuer_url: str = "",
        ttl_s: float,
        max_age_s: float,
        algorithms: Collection[str],
        session_factory: Callable[[], ClientSession],
        explain: Explain,
        clock: Callable[[], float],
        on_change: ChangeSink,
        on_event: EventSink,
        proxy_for: ProxyFor,
    ) -> None:
        """Nothing is fetched before ``run``.

        Args:
            url: Where the set is; https. Give this or ``issuer_url``.
            issuer_url: The OpenID issuer, exactly as it names itself.
            ttl_s: Seconds between fetches.
            max_age_s: Seconds after which a set that cannot be fetched again is
                no longer trusted.
            algorithms: The only ones allowed.
            session_factory: Gives a session of ``jwks_fetch.open_session``.
            explain: Says in words why a connection failed.
            clock: Monotonic seconds.
            on_change: Told the set whenever its keys changed, ``None`` when it
                is no longer trusted. Must not raise.
            on_event: Told ``jwks.reloaded`` with its details, after ``on_change`` if
                keys were lost. Must not raise.
            proxy_for: Asked for the way to each URL.
        """
        self._url = url
        self._issuer_url = issuer_url
        self._algorithms = algorithms
        self._session_factory = session_factory
        self._explain = explain
        self._clock = clock
        self._on_change = on_change
        self._on_event = on_event
        self._proxy_for = proxy_for
        self._freshness = Freshness(ttl_s, max_age_s)
        self.source = (url or issuer_url).partition("?")[0]
        self._began_at = clock()
        self._keys: KeySet | None = None
        self._etag = ""
        self._discovered = ("", 0.0)
        self._wanted = asyncio.Event()
        self._finished = asyncio.Event()
        self._is_fetching = False

    def current(self, now: float) -> KeySet | None:
        """The keys in force; ``None`` where there are none to trust.

        Args:
            now: Monotonic seconds.
        """
        return self._keys if self._freshness.is_trusted(now) else None

    @property
    def is_failing(self) -> bool:
        """The last fetch brought nothing that can be used."""
        return self._freshness.failures > 0

    def age_s(self, now: float) -> float:
        """Seconds since it was last known to be its source's, or since this began."""
        return min(self._freshness.age_s(now), now - self._began_at)

    async def run(self) -> None:
        """Keep the set fresh until cancelled."""
        async with self._session_factory() as session:
            while True:
                await self.refresh(session)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._freshness.wait_s(self._clock())):
                        await self._wanted.wait()

    async def freshen(self) -> None:
        """Wait for a fetch on behalf of a token whose key is unknown.

        One is asked for at most every 30 s, whatever key names clients make up;
        who comes while one is under way waits for that one. After 1 s nobody
        waits any longer.
        """
        if not self._is_fetching and not self._wanted.is_set():
            if not self._freshness.try_force(self._clock()):
                return
            self._wanted.set()
        finished = self._finished
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await finished.wait()

    async def refresh(self, session: ClientSession) -> None:
        """Fetch once; failures are told to ``on_event``, not raised."""
        self._is_fetching = True
        self._wanted.clear()
        try:
            self._accept(await self._fetch(session))
        except (FetchFailed, ConfigurationError) as exc:
            self._fail(str(exc))
        finally:
            self._is_fetching = False
            self._finished.set()
            self._finished = asyncio.Event()

    async def _fetch(self, session: ClientSession) -> Fetched | None:
        url = self._url or await self._discover(session)
        return await fetch(session, url, self._explain, self._proxy_for, self._etag)

    async def _discover(self, session: ClientSession) -> str:
        url, known_until = self._discovered
        if not url or self._clock() >= known_until:
            document = await fetch(
                session, discovery_url(self._issuer_url), self._explain, self._proxy_for
            )
            url = read_jwks_uri(document.body if document else b"", self._issuer_url)
            self._discovered = (url, self._clock() + _DISCOVERY_TTL_S)
        return url

    def _accept(self, fetched: Fetched | None) -> None:
        is_recovery = self._freshness.failures > 0
        before = self._keys
        if fetched is not None:
            self._keys = self._parse(fetched.body)
            self._etag = fetched.etag
        self._freshness.succeeded(self._clock())
        if self._keys is not None and (is_recovery or self._keys != before):
            self._tell_keys(self._keys)
            self._on_change(self._keys)

    def _parse(self, document: bytes) -> KeySet:
        keys = KeySet.parse(
            document, algorithms=self._algorithms, source=self.source, public_only=True
        )
        if not keys.keys:
            faults = "; ".join(map(str, keys.faults[:_MAX_SPOKEN_FAULTS]))
            raise BadKeySet(self.source, f"no usable key in the set. {faults}".strip(". "))
        return keys

    def _fail(self, reason: str) -> None:
        # Another attempt starts from the beginning: the provider may have moved.
        self._discovered = ("", 0.0)
        self._freshness.failed()
        is_lost = self._keys is not None and not self._freshness.is_trusted(self._clock())
        if is_lost:
            self._keys, self._etag = None, ""
            self._on_change(None)
        if self._freshness.failures == 1 or is_lost:
            details = {"result": "failed", "source": self.source, "reason": reason}
            details["keys"] = "lost" if is_lost else "kept" if self._keys else "none"
            self._on_event("jwks.reloaded", details)

    def _tell_keys(self, keys: KeySet) -> None:
        details = {"result": "ok", "source": self.source, "keys": str(len(keys.keys))}
        if keys.faults:
            details["refused"] = str(len(keys.faults))
            details["faults"] = "; ".join(map(str, keys.faults[:_MAX_SPOKEN_FAULTS]))
        alarms = [fault.kid for fault in keys.faults if fault.is_alarm]
        if alarms:
            details["alarm"] = f"private keys published: {', '.join(alarms[:_MAX_SPOKEN_FAULTS])}"
        self._on_event("jwks.reloaded", details)
