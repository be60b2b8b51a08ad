"""Files that change while the gateway runs: keys, key sets, certificates, secrets."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pyproxy.assembly.build import build, jwks_of, put_in_force
from pyproxy.assembly.keys import read_keyring
from pyproxy.assembly.listeners import Group
from pyproxy.assembly.resources import Resources
from pyproxy.assembly.sources import Sources, read_sources
from pyproxy.assembly.tokens import LocalKeys, read_local_keys
from pyproxy.assembly.upstream_tls import upstream_files
from pyproxy.config.auth import JwtSettings
from pyproxy.config.load import Loaded
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.gateway.desk import Desk
from pyproxy.identity.jwt_verifier import KeyRefresher
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.renewal import Certificates
from pyproxy.runtime.startup import exposed_while_running
from pyproxy.runtime.tls import ServerTls
from pyproxy.runtime.watch import FileWatcher, Stamps, Watched, stamps_of
from pyproxy.telemetry.audit import AuditEvent
from pyproxy.telemetry.log import Level

Reload = Callable[[], Loaded]
"""Reads the configuration again; blocks, and raises ``ConfigurationError``."""

_NEVER_SEEN: Stamps = {}
_MAX_SPOKEN_FAULTS = 5


def files_of(settings: Settings) -> tuple[Path, ...]:
    """The files that are read to build a gateway; listeners' are ``ServerTls``'s concern."""
    jwt = settings.auth.jwt
    named = (settings.auth.keys_file, jwt.jwks_file, jwt.signing_keys_file)
    return (*(Path(text) for text in named if text), *upstream_files(settings))


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A configuration that was read again, and differs.

    Attributes:
        loaded: It.
        since: State of its files before they were read.
        sources: What they say.
    """

    loaded: Loaded
    since: Stamps
    sources: Sources


class Reloading:
    """Puts changed files in force, each kind by itself; a faulty one changes nothing.

    Args:
        desk: Its gateway is replaced.
        loaded: The configuration in force.
        groups: Its listeners; they stay.
        resources: What outlives a reload.
        refresher: Of the remote key set; it stays.
        journal: Told what happened.
        tls: Of the listeners.
        since: State of ``files_of`` the settings before they were read.
        reload: Reads the configuration again; ``None``: secrets stay as they are.
    """

    def __init__(
        self,
        desk: Desk,
        loaded: Loaded,
        groups: Sequence[Group],
        resources: Resources,
        *,
        refresher: KeyRefresher | None,
        journal: Journal,
        tls: Sequence[ServerTls | None],
        since: Stamps,
        reload: Reload | None = None,
    ) -> None:
        self._desk = desk
        self._loaded = loaded
        self._groups = groups
        self._resources = resources
        self._refresher = refresher
        self._journal = journal
        self._reload = reload
        self._watcher = FileWatcher(journal.report)
        self._watched: list[Watched] = []
        # Guards the gateway in force, from reading its files to replacing it.
        self._lock = asyncio.Lock()
        self._exposed = frozenset(exposed_while_running(loaded.settings))
        self._certificates = Certificates([each for each in tls if each is not None])
        if seen := self._certificates.seen:
            self._watcher.watch("certificates", tuple(seen), self._reload_tls, since=seen)
        if reload is not None and loaded.watched:
            # They were read before anybody could look at their state, so they are read
            # once more; the same text changes nothing and is not told.
            self._watcher.watch("secrets", loaded.watched, self._reload_settings, since=_NEVER_SEEN)
        self._watch(since)

    async def run(self) -> None:
        """Look for changes until cancelled."""
        await self._watcher.run()

    def _watch(self, since: Stamps) -> None:
        """Watch the files of the settings in force, and no others any more."""
        for group in self._watched:
            self._watcher.forget(group)
        settings = self._loaded.settings
        jwt = settings.auth.jwt
        keys = [Path(settings.auth.keys_file)] if settings.auth.keys_file else []
        sets = [Path(path) for path in (jwt.jwks_file, jwt.signing_keys_file) if path]
        kinds: tuple[tuple[str, Sequence[Path], Callable[[], Awaitable[None]]], ...] = (
            ("keys", keys, self._reload_keys),
            ("key sets", sets, self._reload_key_sets),
            ("upstreams' certificates", upstream_files(settings), self._reload_upstream_tls),
        )
        self._watched = [
            self._watcher.watch(name, paths, changed, {path: since.get(path) for path in paths})
            for name, paths, changed in kinds
            if paths
        ]

    # Each kind of file

    async def _reload_keys(self) -> None:
        async with self._lock:
            try:
                keyring = await asyncio.to_thread(read_keyring, self._loaded.settings.auth)
            except ConfigurationError as exc:
                self._failed("key.reloaded", "the old keys stay", exc.faults)
                return
            self._desk.gateway.authenticator.replace_keys(keyring)
        # An empty file is its owner's will; one that was cut short looks the same.
        warning = "" if keyring else "no key is in force"
        self._done("key.reloaded", {"keys": len(keyring)}, warning)
        await self._remark()

    async def _reload_key_sets(self) -> None:
        async with self._lock:
            try:
                local = await asyncio.to_thread(_read_key_sets, self._loaded.settings.auth.jwt)
            except ConfigurationError as exc:
                self._failed("jwks.reloaded", "the old key set stays", exc.faults)
                return
            put_in_force(local, self._resources.key_sets)
            desk = self._desk
            desk.gateway = replace(desk.gateway, minter=local.minter, jwks=jwks_of(local))
        keys = len(self._resources.key_sets.current.keys)
        self._done("jwks.reloaded", {"keys": keys, **_left_out(local)})
        await self._remark()

    async def _reload_tls(self) -> None:
        renewal = await asyncio.to_thread(self._certificates.renew)
        if renewal.faults:
            stays = "the old certificate stays"
            self._failed("config.reloaded", stays, renewal.faults, what="certificate")
        if renewal.is_renewed:
            self._done("config.reloaded", {"what": "certificate"})

    async def _reload_upstream_tls(self) -> None:
        async with self._lock:
            loaded = self._loaded
            known = self._resources.client_tls
            try:
                sources = await asyncio.to_thread(read_sources, loaded.settings, known)
            except ConfigurationError as exc:
                stays, what = "the old upstream certificates stay", "upstream certificate"
                self._failed("config.reloaded", stays, exc.faults, what=what)
                return
            self._replace(loaded, sources)
        self._done("config.reloaded", {"what": "upstream certificate"})
        await self._remark()

    async def _reload_settings(self) -> None:
        async with self._lock:
            try:
                fresh = await asyncio.to_thread(self._read_again)
            except ConfigurationError as exc:
                stays = "the old secrets stay"
                self._failed("config.reloaded", stays, exc.faults, what="secrets")
                return
            if fresh is not None:
                self._take(fresh)
        await self._remark()

    def _take(self, fresh: _Fresh) -> None:
        """Put a configuration in force that was read again."""
        needs_restart = _lasting(fresh.loaded.settings) != _lasting(self._loaded.settings)
        self._replace(fresh.loaded, fresh.sources)
        self._watch(fresh.since)
        self._done("config.reloaded", {"what": "secrets"})
        if needs_restart:
            sentence = "some of what changed is in force after a restart only: server, jwks_url"
            self._journal.log.write("warning", "configuration.remark", sentence, {})

    def _read_again(self) -> _Fresh | None:
        """The configuration as it is now; ``None`` if it says what it said. Blocks."""
        if self._reload is None:
            return None
        loaded, before = self._reload(), self._loaded
        if loaded.settings == before.settings:
            return None
        if loaded.settings.listeners != before.settings.listeners:
            # Which routes a listener serves is settled with them: a new route must
            # not appear on an old listener.
            problem = "are not those in force; restart the gateway to serve them, and all the rest"
            raise ConfigurationError(Fault("listeners", problem))
        since = stamps_of(files_of(loaded.settings))
        return _Fresh(loaded, since, read_sources(loaded.settings, self._resources.client_tls))

    def _replace(self, loaded: Loaded, sources: Sources) -> None:
        """Put a new gateway in force; what is remembered of keys stays where it can."""
        old, new = self._loaded.settings.auth, loaded.settings.auth
        is_same = old.jwt == new.jwt and old.cache_ttl == new.cache_ttl
        self._desk.gateway = build(
            loaded.settings,
            self._groups,
            self._resources,
            sources,
            refresher=self._refresher,
            authenticator=self._desk.gateway.authenticator if is_same else None,
        )
        self._loaded = loaded

    # What is said of it

    def _done(self, event: AuditEvent, values: Mapping[str, str | int], warning: str = "") -> None:
        self._journal.audit.put(event, self._journal.wall(), result="ok", details=values)
        level: Level = "warning" if warning else "info"
        self._journal.log.write(level, event, warning, {"result": "ok", **values})

    def _failed(
        self, event: AuditEvent, stays: str, faults: Sequence[Fault], **values: str | int
    ) -> None:
        reason = "; ".join(map(str, faults))
        details = {**values, "reason": reason}
        self._journal.audit.put(event, self._journal.wall(), result="failed", details=details)
        self._journal.log.error(event, f"{stays} in force: {reason}", result="failed", **values)

    async def _remark(self) -> None:
        """Warn of files that others may open; refusing them could keep a revoked key in force."""
        exposed = await asyncio.to_thread(exposed_while_running, self._loaded.settings)
        for fault in exposed:
            if fault not in self._exposed:
                self._journal.log.write("warning", "configuration.remark", str(fault), {})
        self._exposed = frozenset(exposed)


def _read_key_sets(jwt: JwtSettings) -> LocalKeys:
    """As ``read_local_keys``, but a set whose every key is faulty is itself a fault.

    At the start that is a warning, for the API keys' sake; now there are better
    keys in force. A set without any entry is the way to trust nobody.
    """
    local = read_local_keys(jwt)
    if jwt.jwks_file and local.verifying.faults and not local.verifying.keys:
        raise ConfigurationError(*local.remarks)
    return local


def _left_out(local: LocalKeys) -> Mapping[str, str | int]:
    faults = local.remarks
    if not faults:
        return {}
    return {
        "refused": len(faults),
        "faults": "; ".join(map(str, faults[:_MAX_SPOKEN_FAULTS])),
    }


def _lasting(settings: Settings) -> tuple[object, ...]:
    """What a running worker does not replace."""
    jwt = settings.auth.jwt
    return settings.server, jwt.jwks_url, jwt.issuer_url, jwt.jwks_ttl, jwt.jwks_max_age
