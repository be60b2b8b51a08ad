"""What a process loads, each worker of which costs memory."""

import socket
import subprocess
import sys
from contextlib import suppress

from tests.lab.gateway import serving
from tests.process.served import KEY, hashed, put

CONFIGURATION = """
[server]
admin = ""
workers = 1
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys_file = "keys"
[[routes]]
name = "main"
models = ["good"]
upstream = "http://127.0.0.1:{port}"
"""
MIB = 1024 * 1024


def test_serving_loads_no_http_library_that_only_a_remote_key_set_needs():
    code = (
        "import sys, pyproxy.cli.main, pyproxy.cli.serve, pyproxy.runtime.process;"
        "print(*(name for name in ('aiohttp', 'yarl', 'multidict') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_a_body_that_is_looked_at_stays_with_a_client_whose_upstream_does_not_read(tmp_path):
    put(tmp_path / "keys", hashed("alice", KEY))
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        text = CONFIGURATION.format(port=deaf.getsockname()[1])
        put(tmp_path / "pyproxy.toml", text)
        with serving(tmp_path, "-c", "pyproxy.toml") as (_, port), socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            client.connect(("127.0.0.1", port))
            client.settimeout(1.5)
            client.sendall(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n"
                b'{"model": "good", "x": "' % (KEY.encode(), 60 * MIB)
            )
            sent = 0
            with suppress(TimeoutError):
                while sent < 50 * MIB:
                    sent += client.send(b"y" * MIB)

    # The gateway's two sockets take 10 MiB between them, itself little more than none.
    assert sent < 16 * MIB
