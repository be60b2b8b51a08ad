"""From the first line to the exit code: signals, drain, logs that cannot be written."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.process.served import BEARER, COMMAND, PATIENCE_S, environment, free_port, serving

CONFIG = """
[[listeners]]
bind = "{bind}"
{listener}
[server]
admin = ""
drain = "{drain}"
{server}
[server.log]
audit = "{audit}"
[auth]
keys_file = "keys.txt"
[[routes]]
name = "all"
upstream = "{upstream}"
"""
# Far below `drain`, far above what an end takes that waits for nothing.
AT_ONCE_S = 3.0


def config(upstream, bind="127.0.0.1:0", drain="30s", audit="stderr", listener="", server=""):
    return CONFIG.format(
        upstream=upstream.url,
        bind=bind,
        drain=drain,
        audit=audit,
        listener=listener,
        server=server,
    )


def begin_stream(gateway, upstream):
    """An answer that has begun and is not complete."""
    connection = gateway.connect()
    connection.request("GET", "/stream", headers=BEARER)
    answer = connection.getresponse()
    assert answer.read(3) == b"one"
    assert upstream.begun.wait(PATIENCE_S)  # set after "one" was written
    return connection, answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_stream_ends_before_the_process_does(folder, upstream, number):
    with serving(folder, config(upstream)) as gateway:
        connection, answer = begin_stream(gateway, upstream)

        gateway.process.send_signal(number)
        gateway.wait_for("worker.draining")
        with pytest.raises(ConnectionRefusedError):
            gateway.connect()
        upstream.released.set()

        assert answer.read() == b"two"
        connection.close()
        assert gateway.ended() == 0
    assert [line["path"] for line in gateway.said("request")] == ["/stream"]
    assert [line["status"] for line in gateway.said("request")] == [200]


def test_a_drain_takes_no_longer_than_it_may(folder, upstream):
    with serving(folder, config(upstream, drain="200ms")) as gateway:
        connection, answer = begin_stream(gateway, upstream)

        started = time.monotonic()
        assert gateway.stop() == 0

        assert time.monotonic() - started < AT_ONCE_S
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
        connection.close()
    assert gateway.said("request")[0]["aborted"] is True


def test_a_second_signal_ends_it_at_once_with_everything_written(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        connection, _ = begin_stream(gateway, upstream)

        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait_for("worker.draining")
        started = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)

        assert gateway.ended() == -signal.SIGTERM
        assert time.monotonic() - started < AT_ONCE_S
        connection.close()
    assert gateway.said("auth.ok", user="alice")
    [last] = gateway.said("worker.stopped")
    assert (last["level"], last["message"]) == ("warning", "told twice to stop: requests are cut")


def test_idle_connections_do_not_hold_up_the_end(folder, upstream, certify):
    trust = certify(folder)
    listener = 'certificate = "tls.crt"\nprivate_key = "tls.key"'
    with serving(folder, config(upstream, listener=listener), trust) as gateway:
        used, unused = gateway.connect(), gateway.connect()
        used.request("GET", "/health")
        assert used.getresponse().read()

        started = time.monotonic()
        assert gateway.stop() == 0

        assert time.monotonic() - started < 1.5  # less than a farewell of TLS is waited for
        used.close()
        unused.close()


def test_a_unix_socket_is_served_and_removed(folder, upstream):
    path = folder / "gateway.sock"
    with serving(folder, config(upstream, bind=f"unix:{path}")) as gateway:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_S)
            client.connect(str(path))
            key = BEARER["Authorization"]
            client.sendall(
                f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            answer = b"".join(iter(lambda: client.recv(65536), b""))

        assert answer.startswith(b"HTTP/1.1 200 ")
        assert gateway.stop() == 0
    assert not path.exists()
    assert gateway.said("request")[0]["ip"] == ""


def test_a_full_disk_stops_neither_requests_nor_the_end(folder, upstream):
    with serving(folder, config(upstream, audit="/dev/full")) as gateway:
        assert gateway.status() == 200
        assert gateway.status("pyp_wrong") == 401
        started = time.monotonic()

        assert gateway.stop() == 0
        assert time.monotonic() - started < AT_ONCE_S
    assert len(gateway.said("request")) == 2


def test_a_closed_standard_output_stops_nothing(folder, upstream):
    port = free_port()
    (folder / "pyproxy.toml").write_text(config(upstream, bind=f"127.0.0.1:{port}"))
    with subprocess.Popen(
        ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *COMMAND], cwd=folder, env=environment()
    ) as process:
        try:
            assert until_answered(port).status == 200
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


def test_a_reader_that_leaves_stops_nothing(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        # The reading end of the pipe goes away under the thread that reads.
        reader = gateway.process.stdout.fileno()
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), reader)
        assert gateway.status() == 200
        assert gateway.status() == 200

        assert gateway.stop() == 0


def until_answered(port):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/health")
            return connection.getresponse()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
        finally:
            connection.close()


def test_running_out_of_files_is_said_and_passes(folder, upstream):
    text = config(upstream, drain="0s", server="max_connections = 10000")
    with serving(folder, text, command=limited(48)) as gateway:
        many = [gateway.connect() for _ in range(60)]
        gateway.wait_for("listener.exhausted")
        for each in many:
            each.close()

        assert gateway.status() == 200
        assert gateway.stop() == 0
    [line] = gateway.said("listener.exhausted")
    assert line["message"].endswith("too many open files")
    assert json.dumps(line).count("127.0.0.1:0") == 1
    [remark] = gateway.said("configuration.remark")
    assert "10000 connections need 20064 open files" in remark["message"]


def limited(files):
    """The command under a limit of open files."""
    return ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *COMMAND]


@pytest.mark.parametrize(
    ("files", "fits", "level", "event"),
    [
        pytest.param(4096, 2016, "info", "connections.fitted", id="many enough"),
        pytest.param(1024, 480, "warning", "configuration.remark", id="fewer than a thousand"),
    ],
)
def test_as_many_connections_as_the_open_files_allow(folder, upstream, files, fits, level, event):
    with serving(folder, config(upstream), command=limited(files)) as gateway:
        gateway.stop()

    [line] = [
        line
        for line in (*gateway.said("connections.fitted"), *gateway.said("configuration.remark"))
        if "open files" in line["message"]
    ]
    assert (line["level"], line["event"]) == (level, event)
    assert str(fits) in line["message"]


def test_the_last_line_says_that_it_stopped(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        assert gateway.status() == 200
        assert gateway.stop() == 0

    own = [line["event"] for line in gateway._lines if "level" in line]
    assert own[-1] == "worker.stopped"


def test_clients_do_not_pay_for_a_pause_of_the_process(folder, upstream, certify):
    trust = certify(folder)
    listener = 'certificate = "tls.crt"\nprivate_key = "tls.key"'
    text = config(upstream, listener=listener, server='header_timeout = "2s"')
    head = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + BEARER["Authorization"].encode()
    )
    with serving(folder, text, trust) as gateway, ThreadPoolExecutor() as pool:
        address = ("127.0.0.1", gateway.port)
        plain = socket.create_connection(address, PATIENCE_S)
        with trust.wrap_socket(plain, server_hostname="localhost") as begun:
            begun.sendall(head)
            coming = socket.create_connection(address, PATIENCE_S)
            assert gateway.ask()[0] == 200  # by now it has read the one and accepted the other
            gateway.process.send_signal(signal.SIGSTOP)
            handshake = pool.submit(trust.wrap_socket, coming, server_hostname="localhost")
            begun.sendall(b"\r\n\r\n")
            time.sleep(2.5)  # longer than it would wait for a head
            gateway.process.send_signal(signal.SIGCONT)

            assert begun.recv(12) == b"HTTP/1.1 200"
            with handshake.result() as late:
                late.sendall(head + b"\r\n\r\n")
                assert late.recv(12) == b"HTTP/1.1 200"
