"""Files that change under a configuration in force: keys, key sets, certificates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pyproxy.assembly.build import build, jwks_of, put_in_force
from pyproxy.assembly.keys import read_keyring
from pyproxy.assembly.resources import Resources
from pyproxy.assembly.shared import Shared
from pyproxy.assembly.sources import read_upstream_tls
from pyproxy.assembly.tokens import LocalKeys, read_local_keys
from pyproxy.assembly.upstream_tls import upstream_files
from pyproxy.config.auth import JwtSettings
from pyproxy.config.load import Loaded
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.gateway.desk import Desk
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.news import tell_done, tell_failed
from pyproxy.runtime.renewal import Certificates
from pyproxy.runtime.startup import Prepared, exposed_while_running
from pyproxy.runtime.watch import FileWatcher

_MAX_SPOKEN_FAULTS = 5


class Reloading:
    """Puts changed files in force, each kind by itself; a faulty one changes nothing.

    It serves one configuration, and is cancelled when another comes into force:
    what was being read then is for its successor to see again. What is read on a
    thread replaces its own kind alone, so that the kinds need no lock between them.

    Args:
        desk: Its gateway is replaced.
        loaded: In force.
        prepared: What was read for them.
        resources: What outlives a reload.
        journal: Told what happened.
        blocking: Reads files.
        shared: What is shared with other machines.

    Attributes:
        refused: Kinds of files that hold what cannot be used, so that what was read before
            is in force; of ``KINDS_OF_FILES``.
    """

    def __init__(
        self,
        desk: Desk,
        loaded: Loaded,
        prepared: Prepared,
        resources: Resources,
        journal: Journal,
        blocking: Blocking,
        shared: Shared | None = None,
    ) -> None:
        self._desk = desk
        self._settings = loaded.settings
        self._watched = frozenset(map(str, loaded.watched))
        self._groups = prepared.groups
        self._sources = prepared.sources
        self._resources = resources
        self._journal = journal
        self._blocking = blocking
        self._shared = shared
        self._exposed = prepared.exposed
        self.refused: set[str] = set()
        self._certificates = Certificates([each for each in prepared.tls if each is not None])
        self._watcher = FileWatcher(journal.report, blocking)
        self._watch(prepared)

    async def run(self) -> None:
        """Look for changes until cancelled."""
        await self._watcher.run()

    async def poll_now(self) -> None:
        """Look once, and wait until what changed is in force."""
        await self._watcher.poll_now()

    def _watch(self, prepared: Prepared) -> None:
        settings = self._settings
        jwt = settings.auth.jwt
        keys = [Path(settings.auth.keys_file)] if settings.auth.keys_file else []
        sets = [Path(path) for path in (jwt.jwks_file, jwt.signing_keys_file) if path]
        seen = self._certificates.seen
        self._watcher.watch("certificates", tuple(seen), self._reload_tls, since=seen)
        for name, paths, changed in (
            ("keys", keys, self._reload_keys),
            ("key sets", sets, self._reload_key_sets),
            ("upstreams' certificates", upstream_files(settings), self._reload_upstream_tls),
        ):
            since = {path: prepared.since.get(path) for path in paths}
            self._watcher.watch(name, paths, changed, since=since)

    # Each kind of file

    async def _reload_keys(self) -> None:
        read = partial(read_keyring, self._settings.auth)
        try:
            keyring = await self._blocking.call("keys", read)
        except ConfigurationError as exc:
            self.refused.add("keys")
            tell_failed(self._journal, "key.reloaded", "the old keys stay", exc.faults)
            return
        self.refused.discard("keys")
        self._sources = replace(self._sources, keyring=keyring)
        self._desk.gateway.authenticator.replace_keys(keyring)
        # An empty file is its owner's will; one that was cut short looks the same.
        warning = "" if keyring else "no key is in force"
        tell_done(self._journal, "key.reloaded", {"keys": len(keyring)}, warning)
        await self._remark()

    async def _reload_key_sets(self) -> None:
        read = partial(_read_key_sets, self._settings.auth.jwt)
        try:
            local = await self._blocking.call("key sets", read)
        except ConfigurationError as exc:
            self.refused.add("key_sets")
            tell_failed(self._journal, "jwks.reloaded", "the old key set stays", exc.faults)
            if self._resources.key_sets.stale_since is None:
                self._resources.key_sets.stale_since = self._desk.now()
            return
        self.refused.discard("key_sets")
        self._sources = replace(self._sources, local=local)
        put_in_force(local, self._resources.key_sets)
        desk = self._desk
        desk.gateway = replace(desk.gateway, minter=local.minter, jwks=jwks_of(local))
        keys = len(self._resources.key_sets.current.keys)
        tell_done(self._journal, "jwks.reloaded", {"keys": keys, **_left_out(local)})
        await self._remark()

    async def _reload_tls(self) -> None:
        renewal = await self._blocking.call("certificates", self._certificates.renew)
        what = {"what": "certificate"}
        if renewal.faults:
            stays = "the old certificate stays"
            tell_failed(self._journal, "config.reloaded", stays, renewal.faults, what)
        # One listener's may be refused for long while others' are renewed.
        if self._certificates.stale:
            self.refused.add("certificates")
        else:
            self.refused.discard("certificates")
        if renewal.is_renewed:
            tell_done(self._journal, "config.reloaded", what)

    async def _reload_upstream_tls(self) -> None:
        read = partial(read_upstream_tls, self._settings, self._resources.client_tls)
        what = {"what": "upstream certificate"}
        try:
            tls, contexts = await self._blocking.call("upstreams' certificates", read)
        except ConfigurationError as exc:
            stays = "the old upstream certificates stay"
            self.refused.add("upstream_certificates")
            tell_failed(self._journal, "config.reloaded", stays, exc.faults, what)
            return
        self.refused.discard("upstream_certificates")
        self._sources = replace(self._sources, tls=tls, contexts=contexts)
        self._desk.gateway = build(
            self._settings,
            self._groups,
            self._resources,
            self._sources,
            authenticator=self._desk.gateway.authenticator,
            shared=self._shared,
        )
        tell_done(self._journal, "config.reloaded", what)
        await self._remark()

    async def _remark(self) -> None:
        """Warn of files that others may open; refusing them could keep a revoked key in force."""
        look = partial(exposed_while_running, self._settings)
        exposed = await self._blocking.call("permissions", look)
        for fault in exposed:
            # Of secrets' files the supervisor tells, who reads them.
            if fault not in self._exposed and fault.path not in self._watched:
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
    faults: Sequence[Fault] = local.remarks
    if not faults:
        return {}
    return {
        "refused": len(faults),
        "faults": "; ".join(map(str, faults[:_MAX_SPOKEN_FAULTS])),
    }
