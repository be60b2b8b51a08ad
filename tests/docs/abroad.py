"""Providers' own names on an island: each leads to an address that is on its loopback alone.

The gateway connects to no public API under a private address, so these are of a part of
2000::/3 that was never given out, and there is no way off the island.
"""

import fcntl
import shutil
import socket
import struct
import subprocess
import threading
from functools import cache
from socketserver import ThreadingTCPServer

from tests.providers.agents.island import relay

HOSTS = {
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "gemini": "generativelanguage.googleapis.com",
    "copilot": "api.githubcopilot.com",
    "elevenlabs": "api.elevenlabs.io",
}
PUBLIC = {host: f"2d00::{number:x}" for number, host in enumerate(HOSTS.values(), start=1)}
INSIDE = "10.0.1.50"
HTTPS = 443
SET_ADDRESS, LOOPBACK, WHOLE = 0x8916, 1, 128  # SIOCSIFADDR, its index, its prefix


@cache
def aboard() -> tuple[str, ...]:
    """The command that gives a program an island; nothing where this machine does not let us."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    own = [unshare, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    for words in (own, [*own[:1], "--user", "--map-root-user", *own[1:]]):
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return tuple(words)
    return ()


def settle() -> None:
    """Give the island's loopback the providers' addresses, and one of a private network.

    Without that, names would not lead to IPv4 any more: glibc's AI_ADDRCONFIG leaves a
    family out that has no address beside 127.0.0.1 where the other one has.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(INSIDE))
        fcntl.ioctl(sock, SET_ADDRESS, struct.pack("16s", b"lo:1") + address)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        for address in PUBLIC.values():
            packed = socket.inet_pton(socket.AF_INET6, address)
            fcntl.ioctl(sock, SET_ADDRESS, struct.pack("16sIi", packed, WHOLE, LOOPBACK))


class _Server(ThreadingTCPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


def serve(name: str, port: int) -> None:
    """Lead a provider's own name to a port of this machine, until the process ends."""

    def handle(client: socket.socket, *_: object) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as far:
            back = threading.Thread(target=relay, args=(far, client))
            back.start()
            relay(client, far)
            back.join()

    server = _Server((PUBLIC[HOSTS[name]], HTTPS), handle)  # type: ignore[arg-type]
    threading.Thread(target=server.serve_forever, daemon=True).start()
