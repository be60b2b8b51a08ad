"""Who may ask the admin listener."""

import hmac
from hashlib import sha256
from ipaddress import ip_address
from typing import Final

from pyproxy.config.quantities import Rate
from pyproxy.config.secret import Secret
from pyproxy.errors.refusal import CrossOrigin, HostNotAllowed, InvalidToken, MissingToken
from pyproxy.limits.limit import Limit, bucket_key
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.meter import ONE, refused
from pyproxy.wire.head import RequestHead

# Wrong tokens of one address: enough for a person who mistypes, too few to guess with.
FAILURES: Final = Limit("admin", Rate(count=12, period_s=60.0), burst=9)
# Addresses whose failures are remembered; 2 MB when full.
_MOST_ADDRESSES: Final = 10_000

# Names that nobody can register, so that no page of a stranger can be served under them and
# then have its name lead here: RFC 6761, RFC 6762, RFC 8375, the reserved .internal, and
# what Kubernetes calls its services.
LOCAL_SUFFIXES: Final = (".localhost", ".local", ".internal", ".home.arpa", ".svc")
_SAME: Final = frozenset({b"same-origin", b"none"})
_BEARER: Final = b"bearer "


class Guard:
    """Who may ask, and what a page in somebody's browser may not.

    With a token every request has to show it. Without one the listener relies on its
    address; what reaches that all the same is an operator's browser, led by a stranger's
    page whose name was made to resolve here (DNS rebinding): then ``Host`` is that name.

    Args:
        token: What has to be shown; ``None``: nothing.
    """

    def __init__(self, token: Secret | None = None) -> None:
        self._failures = MemoryStore(_MOST_ADDRESSES)
        self.renew(token)

    def renew(self, token: Secret | None) -> None:
        """Ask for another token from now on; failures are not forgotten."""
        self._digest = None if token is None else _digest(token.reveal().encode())

    @property
    def wants_token(self) -> bool:
        """Whether a request has to show one."""
        return self._digest is not None

    def admit(self, head: RequestHead, host: bytes, address: str, now: float) -> None:
        """Let a request in, or say why not.

        Args:
            head: The request's.
            host: ``Host``, lower-case and without its port; empty in HTTP/1.0 without one.
            address: The peer's; ``""`` on a unix socket.
            now: Monotonic seconds.

        Raises:
            HostNotAllowed: A name that may be a stranger's, and no token is asked for.
            MissingToken: No credential, or none that is a Bearer.
            InvalidToken: Another one.
            RateLimited: Too many wrong ones came from this address; whatever this one is.
        """
        if self._digest is None:
            if not is_local_name(host):
                raise HostNotAllowed
            return
        given = head.index.get(b"authorization", b"")
        if b"authorization" in head.repeated or given[: len(_BEARER)].lower() != _BEARER:
            raise MissingToken
        # Taken before it is known who asks, or an address could go on guessing for ever.
        key = bucket_key(FAILURES, address, "", "")
        taken = self._failures.take_nowait(key, FAILURES, ONE, now)
        if taken.wait_s:
            raise refused(taken)
        if not hmac.compare_digest(_digest(given[len(_BEARER) :].strip()), self._digest):
            raise InvalidToken
        self._failures.give_back(key, FAILURES, ONE, now)


def refuse_strangers(head: RequestHead) -> None:
    """Let no page of another origin change anything (Fetch standard, ``Origin`` header).

    Programs send neither field. A page of our own sends its origin, which is ``Host``.

    Raises:
        CrossOrigin: A page of somebody else's asks.
    """
    site = head.index.get(b"sec-fetch-site", b"none").lower()
    origin = head.index.get(b"origin")
    _, mark, authority = (origin or b"").lower().partition(b"://")
    is_ours = origin is None or (bool(mark) and authority == head.index.get(b"host", b"").lower())
    if site not in _SAME or not is_ours or head.repeated & {b"origin", b"sec-fetch-site"}:
        raise CrossOrigin


def is_local_name(host: bytes) -> bool:
    """Whether no stranger can have a page under this name.

    Args:
        host: Lower-case, without a port.
    """
    name = host.decode("ascii").removesuffix(".")
    if "." not in name and not name.startswith("["):
        return True
    return _is_literal(name.strip("[]")) or name.endswith(LOCAL_SUFFIXES)


def _is_literal(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _digest(token: bytes) -> bytes:
    """Of one length whatever the token's is, so that comparing tells nothing of that either."""
    return sha256(token).digest()
