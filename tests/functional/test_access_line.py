"""What the access line counts: bytes of bodies, without framing, heads and what was not sent."""

import pytest

from tests.functional.scripted import OK, request

CHUNKED = "Transfer-Encoding: chunked"
ERROR = b'{"error":"invalid_token"}'


async def counted(gateway):
    """Bytes in and out of the one request so far."""
    line = await gateway.lines.next("request")
    return line["bytes_in"], line["bytes_out"]


@pytest.mark.parametrize(
    ("asked", "body", "answer", "bytes_in", "bytes_out"),
    [
        pytest.param(request("GET", "/"), b"", OK, 0, 2, id="no body up"),
        pytest.param(request("POST", "/", body=b"12345"), b"12345", OK, 5, 2, id="length"),
        pytest.param(
            request("POST", "/", CHUNKED) + b"5;a=b\r\n12345\r\n3\r\n678\r\n0\r\nX-Sum: 1\r\n\r\n",
            b"12345678", OK, 8, 2, id="chunked up, with extension and trailer",
        ),
        pytest.param(
            request("GET", "/"), b"",
            f"HTTP/1.1 200 OK\r\n{CHUNKED}\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n".encode(),
            0, 7, id="chunked down",
        ),
        pytest.param(
            request("GET", "/"), b"", b"HTTP/1.1 204 No Content\r\n\r\n", 0, 0, id="204",
        ),
    ],
)  # fmt: skip
async def test_bodies_are_counted_without_their_framing(
    start, upstream, asked, body, answer, bytes_in, bytes_out
):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(asked)
    connection, head = await upstream.asked()
    if b"chunked" in head:
        assert (await connection.chunked())[0] == body
    elif body:
        assert await connection.exactly(len(body)) == body
    connection.send(answer)
    await client.answer()

    assert await counted(gateway) == (bytes_in, bytes_out)


async def test_answer_to_head_has_no_bytes_though_it_has_a_length(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    answer = await client.ask("HEAD", "/")

    assert (answer.value("content-length"), answer.body) == ("2", b"")
    assert await counted(gateway) == (0, 0)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_refusal_is_counted_as_it_was_sent(start, willing, method):
    gateway = await start(willing)
    client = await gateway.connect()
    answer = await client.ask(method, "/", key="wrong")

    assert answer.status == 401
    assert await counted(gateway) == (0, len(answer.body))
    assert bool(answer.body) == (method == "GET")


async def test_body_of_a_refused_request_counts_as_far_as_it_came(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(request("POST", "/", "Content-Length: 1000", key="wrong") + b"1234")
    answer = await client.answer()

    assert answer.status == 401
    assert await counted(gateway) == (4, len(answer.body))
    assert willing.received == b""


async def test_cut_answer_counts_what_was_passed_on(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234")
    await client.until(b"1234")
    connection.reset()
    line = await gateway.lines.next("request")

    assert (line["bytes_out"], line["aborted"], line["status"]) == (4, True, 200)
