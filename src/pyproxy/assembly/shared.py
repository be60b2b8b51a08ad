"""What machines share, as ``[store]`` says; the one place that chooses between memory and Redis."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from typing import Literal, Protocol

from pyproxy.assembly.extras import remedy
from pyproxy.assembly.resources import Resources
from pyproxy.config.store import StoreSettings
from pyproxy.errors.fault import Fault
from pyproxy.identity.revocations import RevokedTokens
from pyproxy.limits.bans import BanRules, Bans
from pyproxy.limits.store import Store

Tell = Callable[[Literal["store.up", "store.down"], str], None]


class Shared(Protocol):
    """A store and lists that are elsewhere, and the task that keeps them."""

    @property
    def settings(self) -> StoreSettings:
        """What it was made of."""
        ...

    @property
    def store(self) -> Store:
        """Buckets."""
        ...

    @property
    def revocations(self) -> RevokedTokens:
        """Tokens that are no longer good."""
        ...

    @property
    def bans(self) -> Bans:
        """Addresses that are shut out."""
        ...

    async def run(self) -> None:
        """Keep all of it going, until cancelled; without that it counts as down."""
        ...


def share(
    settings: StoreSettings,
    resources: Resources,
    monotonic: Callable[[], float],
    wall: Callable[[], float],
    tell: Tell,
    on_begun: Callable[[str, BanRules], None],
    before: Shared | None = None,
) -> Shared | None:
    """What the settings ask for; ``None``: what the machine has of its own.

    Args:
        settings: Without `store_faults`.
        resources: What the machine has.
        monotonic: Seconds, the clock of all limits.
        wall: Epoch seconds.
        tell: Hears of the store's ups and downs.
        on_begun: Hears of bans that began by what all machines counted together.
        before: In force until now, made of other settings.
    """
    if settings.url.is_memory:
        return None
    # The client takes 12 MB a process, and may not be installed.
    from pyproxy.store.shared import Here, RedisShared  # noqa: PLC0415 - see above

    here = Here(
        resources.store, resources.revocations, resources.bans, monotonic, wall, tell, on_begun
    )
    made = RedisShared(settings, here)
    if isinstance(before, RedisShared):
        made.succeed(before)
    return made


def reach_store(settings: StoreSettings, timeout_s: float) -> str:
    """What is wrong with a store that is elsewhere; ``""``: nothing. Blocks."""
    from pyproxy.store.shared import reach  # noqa: PLC0415 - as above

    with closing(reach(settings, timeout_s)) as asking:  # Ctrl-C may come before it
        return asyncio.run(asking)


def store_faults(settings: StoreSettings) -> tuple[Fault, ...]:
    """What keeps a store from being used, wherever it is. Reads the files that it names."""
    if settings.url.is_memory:
        return ()
    if find_spec("redis") is None:
        return (Fault("store.url", f"needs {remedy('redis')}"),)
    return tuple(_tls_faults(settings))


def _tls_faults(settings: StoreSettings) -> list[Fault]:
    if not settings.url.is_tls:
        return []
    try:
        context = ssl.create_default_context(cafile=settings.ca or None)
    except (OSError, ssl.SSLError) as error:
        return [Fault("store.ca", _unreadable(settings.ca, error))]
    if settings.certificate:
        try:
            context.load_cert_chain(settings.certificate, settings.private_key)
        except (OSError, ssl.SSLError) as error:
            return [Fault("store.certificate", _unreadable(settings.certificate, error))]
    return []


def _unreadable(path: str, error: OSError) -> str:
    reason = "holds no usable PEM" if isinstance(error, ssl.SSLError) else error.strerror
    return f"{path} cannot be used: {reason}"
