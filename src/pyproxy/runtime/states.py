"""What a worker sees at a moment of what it works with; nothing here waits or fails."""

from collections.abc import Collection, Iterable, Iterator

from pyproxy.assembly.listeners import Group
from pyproxy.assembly.resources import Resources
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.gateway import Gateway
from pyproxy.identity.key_sets import KeySets
from pyproxy.limits.store import Store
from pyproxy.runtime.following import RemoteKeys
from pyproxy.runtime.sharing import Sharing
from pyproxy.runtime.startup import Prepared
from pyproxy.runtime.tls import ServerTls
from pyproxy.telemetry.catalogue import (
    BANS,
    BANS_IN_FORCE,
    BCRYPT_WAITING,
    CONNECTIONS,
    FILES_REFUSED,
    KINDS_OF_FILES,
    STORE_FAILURES,
)
from pyproxy.telemetry.report import (
    CertificateState,
    EndpointState,
    KeySetState,
    Report,
    StoreState,
)


def report_of(
    desk: Desk,
    prepared: Prepared,
    resources: Resources,
    sharing: Sharing,
    remote: RemoteKeys | None,
    connections: int,
    refused: Collection[str],
) -> Report:
    """Everything that a worker tells: what it counted, and what is so now.

    Args:
        desk: Where it counts.
        prepared: What its files say.
        resources: What it works with.
        sharing: What it shares with other machines.
        remote: Where the remote key set is from.
        connections: Open ones of clients.
        refused: Kinds of files that hold what cannot be used.
    """
    report, now = desk.counts.report(), desk.now()
    report.gauges[CONNECTIONS, ()] = connections
    report.gauges[BCRYPT_WAITING, ()] = resources.gate.waiting
    report.gauges[BANS_IN_FORCE, ()] = resources.bans.count(now)
    report.gauges |= {(FILES_REFUSED, (kind,)): float(kind in refused) for kind in KINDS_OF_FILES}
    report.counters[BANS, ()] = desk.counts.bans_begun + sharing.bans_begun
    report.endpoints = endpoints_of(desk.gateway, now)
    report.certificates = certificates_of(prepared)
    report.key_sets = key_sets_of(resources.key_sets, remote, now)
    report.store = store_of(desk.gateway.store)
    report.counters[STORE_FAILURES, ()] = report.store.failures
    return report


def endpoints_of(gateway: Gateway, now: float) -> tuple[EndpointState, ...]:
    """Where the routes in force lead, route by route; ``now`` is monotonic seconds."""
    return tuple(
        EndpointState(
            plan.name,
            endpoint.name,
            plan.upstream.state_of(endpoint),
            endpoint.busy,
            endpoint.idle,
            endpoint.standing.is_due(now),
        )
        for plan in gateway.plans
        for endpoint in plan.upstream.endpoints
    )


def certificates_of(prepared: Prepared) -> tuple[CertificateState, ...]:
    """What the listeners show, renewals included."""
    pairs = zip(prepared.groups, prepared.tls, strict=True)
    return tuple(state for group, tls in pairs if tls for state in _shown(group, tls))


def _shown(group: Group, tls: ServerTls) -> Iterator[CertificateState]:
    for path, certificate in zip(tls.paths, tls.certificates, strict=True):
        names, not_after = certificate.names, certificate.not_after
        yield CertificateState(group.bind, str(path), names, not_after)


def key_sets_of(
    key_sets: KeySets, remote: RemoteKeys | None, now: float
) -> tuple[KeySetState, ...]:
    """What verifies tokens: the remote set, and the files' that are in use beside it or instead.

    A file is looked at every second: its set is fresh, and its age 0, unless what is
    in the file now cannot be used and the keys from before stay.

    Args:
        key_sets: In force.
        remote: Where the remote set is from.
        now: Monotonic seconds.
    """
    since = key_sets.stale_since
    state, age_s = ("fresh", 0.0) if since is None else ("stale", now - since)
    found = {
        each.source: KeySetState(each.source, len(each.keys), age_s, state)
        for each in key_sets.of_files()
        if each.source
    }
    return (*_of_remote(remote, now), *found.values())


def _of_remote(remote: RemoteKeys | None, now: float) -> Iterable[KeySetState]:
    if remote is None:
        return
    keys = remote.current(now)
    state = "lost" if keys is None else "stale" if remote.is_failing else "fresh"
    yield KeySetState(remote.source, len(keys.keys) if keys else 0, remote.age_s(now), state)


def store_of(store: Store) -> StoreState:
    """Where limits are counted; in memory nothing fails."""
    return StoreState(store.kind, is_up=store.is_up, failures=store.failures)
