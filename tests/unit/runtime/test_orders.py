"""Orders mean the same at the worker's end, and their sockets are its own."""

import os
import socket

import pytest

from pyproxy.config.load import load
from pyproxy.runtime.link import Link
from pyproxy.runtime.orders import Orders, Prepare
from pyproxy.runtime.sockets import listen

CONFIG = """
[server]
trusted_proxies = ["10.0.0.0/8", "2001:db8::/32"]
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys = ["a-key-that-is-long-enough"]
[[routes]]
name = "one"
upstream = "https://a"
credential = { header = "X-Key", value = "the-providers-own" }
"""


@pytest.fixture
def loaded(tmp_path):
    (tmp_path / "pyproxy.toml").write_text(CONFIG)
    return load(tmp_path / "pyproxy.toml", {}, tmp_path)


@pytest.fixture
def listenings(tmp_path):
    opened = listen("127.0.0.1:0"), listen(f"unix:{tmp_path}/socket")
    yield opened
    for each in opened:
        each.close()


def names_of(sockets):
    return [each.getsockname() for each in sockets]


def test_a_configuration_travels_with_its_secrets_and_shows_none(loaded):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Link(ours).send(Prepare(loaded, ()))
        arrived, _ = Link(theirs).receive()

    assert arrived.loaded == loaded
    assert arrived.loaded.settings.server.model_fields_set == {"trusted_proxies"}
    assert "the-providers-own" not in repr(arrived)


def test_sockets_are_put_where_they_belong(loaded, listenings):
    message, descriptors = Prepare.of(loaded, listenings)
    orders = message.orders([os.dup(fd) for fd in descriptors])

    assert {
        bind: [each.getsockname() for each in sockets] for bind, sockets in orders.sockets.items()
    } == {each.spec: [sock.getsockname() for sock in each.sockets] for each in listenings}
    assert all(s.gettimeout() == 0.0 for sockets in orders.sockets.values() for s in sockets)
    orders.close()
    assert all(sock.fileno() > 0 for each in listenings for sock in each.sockets)


def test_the_workers_sockets_are_not_the_supervisors(loaded, listenings):
    orders = Orders.of(loaded, listenings)
    orders.close()

    assert all(sock.fileno() > 0 for each in listenings for sock in each.sockets)
