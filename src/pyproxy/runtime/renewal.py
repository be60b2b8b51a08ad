"""The certificates of all listeners, renewed when their files change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.tls import ServerTls
from pyproxy.runtime.watch import Stamp, Stamps, stamps_of


@dataclass(frozen=True, slots=True)
class Renewal:
    """What came of a look at the files.

    Attributes:
        is_renewed: At least one listener shows fresh certificates.
        faults: Why others go on with the old ones; each is there once, however
            many listeners share the file.
    """

    is_renewed: bool
    faults: tuple[Fault, ...]


class Certificates:
    """What listeners show and believe, each all or nothing.

    Attributes:
        seen: State of every file when it was last read, or before.
        stale: Listeners whose files hold something else by now, which is faulty.
    """

    def __init__(self, tls: Sequence[ServerTls]) -> None:
        self._tls = tuple(tls)
        self.stale: set[ServerTls] = set()
        seen: dict[Path, Stamp | None] = {}
        for each in self._tls:
            # Of a file that two listeners read, the state before the first: that
            # it changed in between must be seen.
            seen = {**each.seen, **seen}
        self.seen: Stamps = seen

    def renew(self) -> Renewal:
        """Read the files of the listeners that a change concerns. Blocks.

        May run on any thread, one call at a time.
        """
        before, self.seen = self.seen, stamps_of(self.seen)
        is_renewed = False
        faults: list[Fault] = []
        for each in self._tls:
            if any(self.seen[path] != before[path] for path in each.watched):
                try:
                    each.reload()
                    is_renewed = True
                    self.stale.discard(each)
                except ConfigurationError as exc:
                    faults += exc.faults
                    self.stale.add(each)
        return Renewal(is_renewed, tuple(dict.fromkeys(faults)))
