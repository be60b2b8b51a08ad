"""One secret that every caller of a route sends in a header of its own."""

import hashlib
import hmac
from collections.abc import Collection, Mapping

from pyproxy.errors.refusal import InvalidSharedSecret, NoSharedSecret
from pyproxy.identity.principal import Principal
from pyproxy.wire.head import RequestHead


class SharedSecret:
    """What a caller must send, and where; it names nobody in particular.

    Digests are compared, in constant time: neither where two secrets differ
    nor how long ours is can be measured. Ours is not kept.

    Args:
        header: The field that carries it; any case.
        secret: Not empty.
    """

    __slots__ = ("_digest", "_principal", "header")

    def __init__(self, header: str, secret: str) -> None:
        if not secret:
            raise ValueError("an empty shared secret would let everybody in")
        self.header = header.lower().encode("ascii")
        self._digest = hashlib.sha256(secret.encode()).digest()
        self._principal = Principal(name="shared-secret", kind="token", key_id=header.lower())

    def verify(self, index: Mapping[bytes, bytes], repeated: Collection[bytes]) -> Principal:
        """Whom the secret in the header lets in.

        Args:
            index: Field values by lower-case name.
            repeated: Names that occur more than once.

        Raises:
            NoSharedSecret: Missing, or sent twice.
            InvalidSharedSecret: Wrong.
        """
        presented = index.get(self.header)
        if presented is None or self.header in repeated:
            raise NoSharedSecret("missing" if presented is None else "sent twice")
        if not self._is(presented):
            raise InvalidSharedSecret("wrong")
        return self._principal

    def presented(self, head: RequestHead) -> list[bytes]:
        """The secret as often as it stands in its header, whichever route is asked for."""
        if self.header not in head.index:
            return []
        values = [
            line.partition(b":")[2].strip() for name, line in head.lines if name == self.header
        ]
        return [value for value in values if self._is(value)]

    def _is(self, value: bytes) -> bool:
        return hmac.compare_digest(hashlib.sha256(value).digest(), self._digest)
