"""From ``bind = "..."`` to sockets that listen."""

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pyproxy.config.bind import Bind
from pyproxy.errors.fault import ConfigurationError, Fault

# The kernel cuts it to net.core.somaxconn, 4096 since Linux 5.4.
BACKLOG = 4096
_UNIX_MODE = 0o660  # a proxy of the same group may connect, nobody else
_FIRST_FREE_PORT = 1024
# sun_path of unix(7) has 108, the last of which is a NUL. Elsewhere fewer: the kernel tells there.
_MOST_PATH_BYTES = 107

Address = tuple[socket.AddressFamily, tuple[object, ...]]
"""A family, and an address as its sockets take it."""
Find = Callable[[socket.AddressFamily, object], list[socket.socket]]
"""Gives sockets that listen at an address already, the caller's to close; mostly none."""


@dataclass(frozen=True, slots=True)
class TcpBind:
    """A TCP port on an address or name.

    Attributes:
        host: Address, or a name such as ``localhost``, of which every address
            is listened on.
        port: 0 for any that is free.
    """

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UnixBind:
    """A unix socket's path."""

    path: Path


def parse_bind(spec: str) -> TcpBind | UnixBind:
    """``"0.0.0.0:5000"``, ``"[::]:5000"``, ``"localhost:0"`` or ``"unix:/run/x.sock"``.

    Raises:
        ConfigurationError: It is none of these.
    """
    try:
        bind = Bind.parse(spec)
    except ValueError as exc:
        raise ConfigurationError(Fault(spec, str(exc))) from exc
    return UnixBind(Path(bind.path)) if bind.path else TcpBind(bind.host, bind.port)


def unplaced(spec: str) -> Fault | None:
    """Why no unix socket can be made at ``spec``; ``None`` too for what is no unix socket.

    Makes nothing, and so tells only of a path that is too long and of a missing folder. Looks
    at the file system.
    """
    bind = parse_bind(spec)
    if not isinstance(bind, UnixBind):
        return None
    length = len(os.fsencode(bind.path))
    if length > _MOST_PATH_BYTES:
        problem = f"is too long: a unix socket's path has at most {_MOST_PATH_BYTES} bytes"
        return Fault(spec, problem)
    try:
        is_there = bind.path.parent.is_dir()
    except OSError as exc:  # a folder that this user may not look into
        return Fault(spec, _sentence(bind, exc))
    return None if is_there else Fault(spec, f"{bind.path.parent}: no such folder: make it first")


class Listening:
    """The sockets of one bind, listening already.

    ``[::]`` is IPv6 alone, as in nginx: through a socket for both, IPv4 clients
    would show up as ``::ffff:192.0.2.1``, which no rule for IPv4 matches.

    TCP_NODELAY is not set here: asyncio and uvloop set it on each connection.

    Attributes:
        spec: As configured.
        sockets: One an address; non-blocking. Closing them is for ``close``,
            and harmless elsewhere.
        bound: Those of them that were bound here, and not inherited.
    """

    def __init__(
        self,
        spec: str,
        sockets: tuple[socket.socket, ...],
        path: Path | None = None,
        bound: tuple[socket.socket, ...] = (),
    ) -> None:
        self.spec = spec
        self.sockets = sockets
        self.bound = bound
        self._path = path
        self._file = None if path is None else _identity(path)

    @property
    def port(self) -> int:
        """The port, chosen by the kernel if 0 was asked for; 0 for a unix socket."""
        name = self.sockets[0].getsockname()
        return 0 if isinstance(name, str) else int(name[1])

    def close(self) -> None:
        """Stop listening; remove the unix socket's file if it is still ours."""
        for each in self.sockets:
            each.close()
        # A successor may have put its own file there already.
        if self._path is not None and self._file and _identity(self._path) == self._file:
            self._path.unlink(missing_ok=True)
        self._file = None


def _nothing(family: socket.AddressFamily, address: object) -> list[socket.socket]:
    del family, address
    return []


def listen(spec: str, find: Find = _nothing) -> Listening:
    """Listen on ``spec``. May resolve a name, and so block: call it before the loop runs.

    Args:
        spec: As configured.
        find: Asked for each address, before it is bound.

    Raises:
        ConfigurationError: Malformed, taken, not permitted, or not of this machine.
    """
    bind = parse_bind(spec)
    try:
        match bind:
            case UnixBind():
                return _on_path(spec, bind.path, find)
            case TcpBind():
                return _on_port(spec, bind, find)
    except OSError as exc:
        raise ConfigurationError(Fault(spec, _sentence(bind, exc))) from exc


def _on_path(spec: str, path: Path, find: Find) -> Listening:
    if given := tuple(find(socket.AF_UNIX, str(path))):
        return Listening(spec, given)  # the file is for who made it to remove
    bound = (_listen_unix(path),)
    return Listening(spec, bound, path, bound)


def _on_port(spec: str, bind: TcpBind, find: Find) -> Listening:
    given: list[socket.socket] = []
    missing: list[Address] = []
    for family, address in _addresses(bind):
        found = find(family, address)
        given += found
        missing += [] if found else [(family, address)]
    sockets = _listen_tcp(missing, bind.port, given)
    return Listening(spec, sockets, bound=sockets[len(given) :])


def _listen_tcp(
    addresses: Iterable[Address], port: int, given: Iterable[socket.socket] = ()
) -> tuple[socket.socket, ...]:
    """One socket an address, all on the same port; all of them or none, those given included."""
    sockets = list(given)
    try:
        for family, address in addresses:
            try:
                sockets.append(_tcp_socket(family, (address[0], port, *address[2:])))
            except OSError as exc:
                # `localhost` is ::1 too by /etc/hosts, even without IPv6.
                if exc.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT} or not sockets:
                    raise
            port = sockets[0].getsockname()[1]
    except OSError:
        for each in sockets:
            each.close()
        raise
    return tuple(sockets)


def _addresses(bind: TcpBind) -> list[Address]:
    """Every address of the host, IPv4 first."""
    found = socket.getaddrinfo(
        bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    addresses = dict.fromkeys((family, address) for family, _, _, _, address in found)
    return sorted(addresses, key=lambda each: each[0] != socket.AF_INET)


def _tcp_socket(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    fresh = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Without it, connections of the last process in TIME_WAIT hold the port for a minute.
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            fresh.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        fresh.bind(address)
        return _started(fresh)
    except OSError:
        fresh.close()
        raise


def _listen_unix(path: Path) -> socket.socket:
    _remove_stale(path)
    fresh = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        fresh.bind(str(path))
        # Before `listen` nobody can connect, whatever the umask left open.
        path.chmod(_UNIX_MODE)
        return _started(fresh)
    except OSError:
        fresh.close()
        raise


def _started(bound: socket.socket) -> socket.socket:
    bound.listen(BACKLOG)
    bound.setblocking(False)
    return bound


def _remove_stale(path: Path) -> None:
    """Remove the file that a killed process left, and no other."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "exists, and is not a socket")
    if _somebody_listens(path):
        raise OSError(errno.EADDRINUSE, "somebody listens")
    path.unlink(missing_ok=True)


def _somebody_listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:  # its backlog is full
            return True
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    return True


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from its successor under the same name."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _sentence(bind: TcpBind | UnixBind, error: OSError) -> str:
    """Why it cannot be listened on, and what would help."""
    if isinstance(error, socket.gaierror):
        return "names no address: the host cannot be resolved"
    match error.errno:
        case errno.EADDRINUSE:
            return "is taken: another process listens there (see 'ss -lntp', or 'ss -lxp')"
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return "is not an address of this machine"
        case errno.EACCES | errno.EPERM if isinstance(bind, TcpBind):
            return (
                f"may not be listened on by this user: take a port from {_FIRST_FREE_PORT} up, "
                "or grant CAP_NET_BIND_SERVICE"
            )
        case errno.EEXIST:
            return "exists, and is not a socket: remove it, or choose another path"
        case _:
            return f"cannot be listened on: {(error.strerror or str(error)).lower()}"
