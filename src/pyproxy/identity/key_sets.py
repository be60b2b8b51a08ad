"""What verifies tokens right now, from every source together."""

from pyproxy.identity.jwk import VerificationKey
from pyproxy.identity.jwks import KeySet

_NO_KEYS = KeySet()


class KeySets:
    """The gateway's own public keys, and the remote set or the local file's.

    The remote set wins over the file, which takes over while there is no remote
    set to trust. Our own keys come first: no source can take one of their names.
    Replacing a set is one assignment, so a reader never sees half of it.

    Attributes:
        generation: Grows whenever the keys in force change; whatever remembers
            verified tokens forgets them then.
        current: All keys in force.
        stale_since: Monotonic seconds, since when the files hold something that cannot
            be used; ``None``: they hold what is in force. Set by who reads them.
    """

    __slots__ = ("_local", "_minted", "_remote", "current", "generation", "stale_since")

    def __init__(self, *, local: KeySet = _NO_KEYS, minted: KeySet = _NO_KEYS) -> None:
        self._local = local
        self._minted = minted
        self._remote: KeySet | None = None
        self.current = minted.merge(local)
        self.generation = 0
        self.stale_since: float | None = None

    def replace_local(self, local: KeySet) -> None:
        """Take over a new content of the local file."""
        self._local = local
        self.stale_since = None
        self._combine()

    def replace_minted(self, minted: KeySet) -> None:
        """Take over new public halves of our own signing keys."""
        self._minted = minted
        self._combine()

    def replace_remote(self, remote: KeySet | None) -> None:
        """Take over a fetched set; ``None``: there is none that can be trusted."""
        self._remote = remote
        self._combine()

    def of_files(self) -> tuple[KeySet, ...]:
        """The sets in use that are not the remote one."""
        return (self._minted,) if self._remote is not None else (self._minted, self._local)

    def find(self, kid: str | None, alg: str) -> VerificationKey | None:
        """The key for a token, as ``KeySet.find``."""
        return self.current.find(kid, alg)

    def _combine(self) -> None:
        combined = self._minted.merge(self._local if self._remote is None else self._remote)
        has_changed = combined.digest != self.current.digest
        self.current = combined
        if has_changed:
            self.generation += 1
