"""A program whose only network is loopback, and whose only neighbour is one port of it.

    python island.py PORT SOCKET COMMAND...

Connections to 127.0.0.1:PORT are passed on to the Unix socket, which is the way
off the island. Run by ``unshare --net`` there is nothing else: no other address,
no resolver. Ends with the command, by its exit code.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress

GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP


def aboard() -> list[str]:
    """The command that takes the network away; empty where this machine does not let us."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return []
    for words in ([unshare, "--net"], [unshare, "--user", "--map-root-user", "--net"]):
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    return []


def free_port() -> int:
    """A port for an island, should it turn out to be part of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def raise_loopback() -> None:
    """Bring ``lo`` up, if it is not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16xH14x", fcntl.ioctl(sock, GET_FLAGS, request))[0]
        if not flags & UP:
            fcntl.ioctl(sock, SET_FLAGS, struct.pack("16sH14x", b"lo", flags | UP))


def relay(source: socket.socket, target: socket.socket, kept: bytearray | None = None) -> None:
    """Pass on what comes until its end, and then the end; keep a copy where one is wanted."""
    with suppress(OSError):
        while data := source.recv(65536):
            if kept is not None:
                kept += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def ferry(client: socket.socket, path: str) -> None:
    """Serve one connection."""
    with client, socket.socket(socket.AF_UNIX) as away:
        away.connect(path)
        asking = threading.Thread(target=relay, args=(client, away))
        asking.start()
        relay(away, client)
        asking.join()


def accept(server: socket.socket, path: str) -> None:
    """Serve all connections."""
    while True:
        client, _ = server.accept()
        threading.Thread(target=ferry, args=(client, path), daemon=True).start()


def main(port: str, path: str, *command: str) -> int:
    """Open the harbour, run the command, and give its exit code."""
    raise_loopback()
    server = socket.create_server(("127.0.0.1", int(port)))
    threading.Thread(target=accept, args=(server, path), daemon=True).start()
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main(*sys.argv[1:]))
