"""A connection that ended is gone at once with its TLS buffers, and waits for no collector."""

import gc

import pytest

from pyproxy.downstream.connection import ClientConnection
from pyproxy.telemetry.catalogue import CONNECTIONS
from pyproxy.upstream.connection import UpstreamConnection
from tests.functional.scripted import OK, request
from tests.functional.test_counts import streaming, until_gauge
from tests.waiting import until


@pytest.fixture(autouse=True)
def _without_the_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def left(kind):
    return [each for each in gc.get_objects() if isinstance(each, kind)]


async def answered(client):
    assert (await client.ask("GET", "/")).status == 200


async def asked_twice(client):
    await answered(client)
    await answered(client)


async def uploaded(client):
    client.send(request("POST", "/", body=b"x" * 100_000))
    assert (await client.answer("POST")).status == 200


async def refused(client):
    assert (await client.ask("GET", "/", key="wrong")).status == 401


async def misunderstood(client):
    client.send(b"rubbish\r\n\r\n")
    assert (await client.answer()).status == 400


async def left_with_half_a_head(client):
    client.send(request("GET", "/")[:20])


async def left_with_half_a_body(client):
    client.send(request("POST", "/", "Content-Length: 9"), b"half")


@pytest.mark.parametrize(
    "does",
    [
        answered, asked_twice, uploaded, refused, misunderstood, left_with_half_a_head,
        left_with_half_a_body,
    ],
)  # fmt: skip
async def test_a_client_that_left_leaves_nothing(start, willing, does):
    gateway = await start(willing)
    client = await gateway.connect()
    await does(client)
    client.close()
    await until_gauge(gateway, CONNECTIONS, 0)

    await until(lambda: not left(ClientConnection))


async def test_a_stream_that_was_left_leaves_nothing_on_either_side(start, upstream):
    gateway = await start(upstream)
    client, connection = await streaming(gateway, upstream)
    client.reset()
    await connection.gone()
    await until_gauge(gateway, CONNECTIONS, 0)

    await until(lambda: not left(ClientConnection) and not left(UpstreamConnection))


async def test_an_upstream_that_left_leaves_nothing(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(OK)
    assert (await client.answer()).status == 200
    assert len(left(UpstreamConnection)) == 1
    client.close()
    connection.close()

    await until(lambda: not left(UpstreamConnection))
