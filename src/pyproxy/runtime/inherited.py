"""Sockets that whoever started the gateway listens on already: socket activation.

systemd binds them, keeps them over a restart, and hands them over as descriptors from 3 on
(sd_listen_fds(3)): the gateway needs no right to a low port, and whoever connects while it
restarts waits instead of being refused.
"""

import os
import re
import socket
import stat
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.sockets import Listening, listen

_FIRST: Final = 3
# More than any socket unit lists, fewer than would keep us busy.
_MOST: Final = 1024
_COUNT: Final = re.compile("[0-9]{1,4}")
_LONGEST: Final = 100  # characters of a variable that are shown
_VARIABLES: Final = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
_TCP: Final = (socket.AF_INET, socket.AF_INET6)

Place = tuple[object, ...]
"""An address in the one spelling in which two are compared."""


@dataclass(frozen=True, slots=True)
class Heirloom:
    """One inherited socket.

    Attributes:
        sock: Listens, non-blocking; ours until the process ends.
        place: Where.
        name: For people: its address, descriptor and the name that systemd gave it.
    """

    sock: socket.socket
    place: Place
    name: str

    @property
    def is_open(self) -> bool:
        """Whether it is a unix socket that every user of the machine may connect to."""
        path = self.place[1]
        try:
            return isinstance(path, Path) and bool(path.stat().st_mode & stat.S_IWOTH)
        except OSError:  # its file is gone, and with it the way to it
            return False


@dataclass(slots=True)
class Inherited:
    """The inherited sockets, which listeners take by their address.

    They stay open here while the gateway serves: a listener that a reload takes out, or
    spells in another way, finds its socket again.

    Attributes:
        heirlooms: Those that can be served.
        remarks: What became of the others.
    """

    heirlooms: Sequence[Heirloom] = ()
    remarks: tuple[Fault, ...] = ()
    _wanted: set[Place] = field(default_factory=set)

    @classmethod
    def take(cls, environ: MutableMapping[str, str], pid: int) -> Self:
        """Take over what this process was given, and hide it from its children.

        Args:
            environ: The variables are removed, even those meant for another process.
            pid: Of this process.
        """
        count, meant_for, names, _ = [environ.pop(name, "") for name in _VARIABLES]
        if not count or meant_for != str(pid):
            return cls()
        if not _COUNT.fullmatch(count) or int(count) > _MOST:
            problem = f"is {count[:_LONGEST]!r}, no number up to {_MOST}: no socket is inherited"
            return cls(remarks=(Fault("LISTEN_FDS", problem),))
        called = dict(enumerate(names.split(":"), _FIRST))
        heirlooms: list[Heirloom] = []
        remarks: list[Fault] = []
        for descriptor in range(_FIRST, _FIRST + int(count)):
            found = _adopt(descriptor, called.get(descriptor, ""))
            if isinstance(found, Heirloom):
                heirlooms.append(found)
            else:
                remarks.append(found)
        return cls(heirlooms, tuple(remarks))

    def listen(self, spec: str) -> Listening:
        """As ``sockets.listen``, on inherited sockets where there are any for its addresses.

        Raises:
            ConfigurationError: As there; what was inherited instead is said too.
        """
        try:
            return listen(spec, self.find)
        except ConfigurationError as exc:
            if not self.heirlooms and not self.remarks:
                raise
            others = ", ".join(each.name for each in self.heirlooms) or "none that can be served"
            faults = [Fault(f.path, f"{f.problem}; inherited: {others}") for f in exc.faults]
            raise ConfigurationError(*faults, *self.remarks) from exc

    def find(self, family: socket.AddressFamily, address: object) -> list[socket.socket]:
        """See ``sockets.Find``."""
        place = _place(family, address)
        return [each.sock.dup() for each in self.heirlooms if each.place == place]

    def settle(
        self, listenings: Sequence[Listening], others: Sequence[Listening] = ()
    ) -> tuple[Fault, ...]:
        """Close what no listener has ever wanted, and give what is to be remarked on.

        Args:
            listenings: All that are in force now.
            others: Likewise, but nobody minds if those are refused for a moment.
        """
        if not self.heirlooms and not self.remarks:
            return ()
        everyone = (*listenings, *others)
        wanted = {_place(s.family, s.getsockname()) for each in everyone for s in each.sockets}
        self._wanted |= wanted
        unwanted = [each for each in self.heirlooms if each.place not in self._wanted]
        self.heirlooms = [each for each in self.heirlooms if each not in unwanted]
        for each in unwanted:
            each.sock.close()
        self.remarks += tuple(Fault(each.name, _UNWANTED) for each in unwanted)
        idle = [Fault(each.name, _IDLE) for each in self.heirlooms if each.place not in wanted]
        bound = [
            Fault(each.spec, f"{_named(sock)} {_BOUND}")
            for each in listenings
            for sock in each.bound
        ]
        opened = [Fault(each.name, _OPEN) for each in self.heirlooms if each.is_open]
        return (*self.remarks, *opened, *idle, *bound)

    def close(self) -> None:
        """Let go of all; whoever gave them has them still."""
        for each in self.heirlooms:
            each.sock.close()
        self.heirlooms = ()


_UNWANTED: Final = "is inherited, and no listener is bound there: it was closed"
_IDLE: Final = (
    "is inherited, and no listener is bound there any more: clients wait in vain until one is, "
    "or until the socket unit changes"
)
_BOUND: Final = (
    "is none of the inherited sockets and was bound as usual: clients are refused while "
    "the gateway restarts"
)
_OPEN: Final = (
    "is inherited, and its file lets every user of this machine connect, which systemd does where "
    "nothing is said: set SocketMode=0660 and SocketGroup= in the socket unit"
)
_NO_LISTENER: Final = "is inherited, and no stream socket that listens: it was closed"
_DUAL: Final = (
    "is inherited, and for IPv4 too, so that no rule would know its IPv4 clients: it was closed; "
    "set BindIPv6Only=ipv6-only in the socket unit, and a ListenStream= for each family"
)


def _adopt(descriptor: int, name: str) -> Heirloom | Fault:
    called = f"descriptor {descriptor}" + (f", {name}" if name else "")
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        return _refused(descriptor, called)
    sock.set_inheritable(False)
    if not _listens(sock):
        sock.close()
        return Fault(called, _NO_LISTENER)
    called = f"{_named(sock)} ({called})"
    is_v6 = sock.family == socket.AF_INET6
    if is_v6 and not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        sock.close()
        return Fault(called, _DUAL)
    sock.setblocking(False)
    return Heirloom(sock, _place(sock.family, sock.getsockname()), called)


def _refused(descriptor: int, called: str) -> Fault:
    try:
        os.close(descriptor)
    except OSError:
        return Fault(called, "is named by LISTEN_FDS, and not open")
    return Fault(called, _NO_LISTENER)


def _listens(sock: socket.socket) -> bool:
    is_known = sock.family in {*_TCP, socket.AF_UNIX} and sock.type == socket.SOCK_STREAM
    return is_known and bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _place(family: int, name: object) -> Place:
    """An address in one spelling: of a unix socket what its path leads to."""
    if isinstance(name, tuple):
        host, port, *rest = name
        scope = rest[1] if len(rest) > 1 else 0
        text = str(host).partition("%")[0]
        return family, socket.inet_pton(family, text), port, scope
    # Not `Path.resolve`, which raises where links lead round in a circle.
    return family, Path(os.path.realpath(name)) if isinstance(name, str) else name


def _named(sock: socket.socket) -> str:
    name = sock.getsockname()
    if isinstance(name, tuple):
        return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
    return f"unix:{os.fsdecode(name)}"
