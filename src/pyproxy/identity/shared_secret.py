"""One secret that every caller of a route sends in a header of its own."""

import hashlib
import hmac
from collections.abc import Collection, Mapping

from pyproxy.errors.refusal import InvalidSharedSecret
from pyproxy.identity.principal import Principal


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
            InvalidSharedSecret: Wrong, missing, or sent twice.
        """
        presented = index.get(self.header)
        if presented is None or self.header in repeated:
            raise InvalidSharedSecret("missing" if presented is None else "sent twice")
        if not hmac.compare_digest(hashlib.sha256(presented).digest(), self._digest):
            raise InvalidSharedSecret("wrong")
        return self._principal
