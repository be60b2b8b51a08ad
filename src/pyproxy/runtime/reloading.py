"""Files that change while the gateway runs: keys, key sets, certificates, secrets."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pyproxy.assembly.build import assemble
from pyproxy.assembly.keys import read_keyring
from pyproxy.assembly.listeners import Group
from pyproxy.assembly.resources import Resources
from pyproxy.config.load import Loaded
from pyproxy.errors.fault import ConfigurationError
from pyproxy.gateway.desk import Desk
from pyproxy.identity.jwt_verifier import KeyRefresher
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.tls import ServerTls
from pyproxy.runtime.watch import FileWatcher
from pyproxy.telemetry.audit import AuditEvent


class Reloading:
    """Puts changed files in force, each kind by itself; a faulty one changes nothing."""

    def __init__(
        self,
        desk: Desk,
        loaded: Loaded,
        groups: Sequence[Group],
        tls: Sequence[ServerTls | None],
        resources: Resources,
        refresher: KeyRefresher | None,
        journal: Journal,
    ) -> None:
        self._desk = desk
        self._loaded = loaded
        self._groups = groups
        self._resources = resources
        self._refresher = refresher
        self._journal = journal
        self._watcher = FileWatcher(journal.report)
        auth = loaded.settings.auth
        if auth.keys_file:
            self._watcher.watch("keys", [Path(auth.keys_file)], self._reload_keys)
        sets = [Path(path) for path in (auth.jwt.jwks_file, auth.jwt.signing_keys_file) if path]
        if sets:
            self._watcher.watch("key sets", sets, self._reload_key_sets)
        for each in tls:
            if each is not None:
                self._watcher.watch("certificates", each.watched, partial(self._reload_tls, each))

    async def run(self) -> None:
        """Look for changes until cancelled."""
        await self._watcher.run()

    async def _reload_keys(self) -> None:
        try:
            keyring = await asyncio.to_thread(read_keyring, self._loaded.settings.auth)
        except ConfigurationError as exc:
            self._tell("key.reloaded", exc)
            return
        self._desk.gateway.authenticator.replace_keys(keyring)
        self._tell("key.reloaded", None, keys=len(keyring))

    async def _reload_key_sets(self) -> None:
        try:
            self._desk.gateway = assemble(
                self._loaded.settings, self._groups, self._resources, self._refresher
            )
        except ConfigurationError as exc:
            self._tell("jwks.reloaded", exc)
            return
        self._tell("jwks.reloaded", None, keys=len(self._resources.key_sets.current.keys))

    async def _reload_tls(self, tls: ServerTls) -> None:
        try:
            await asyncio.to_thread(tls.reload)
        except ConfigurationError as exc:
            self._tell("config.reloaded", exc, what="certificate")
            return
        self._tell("config.reloaded", None, what="certificate")

    def _tell(self, event: AuditEvent, exc: ConfigurationError | None, **values: str | int) -> None:
        result = "failed" if exc else "ok"
        details = values | ({"reason": str(exc)} if exc else {})
        self._journal.audit.put(event, self._journal.wall(), result=result, details=details)
        write = self._journal.log.error if exc else self._journal.log.info
        write(event, str(exc) if exc else "", result=result, **values)
