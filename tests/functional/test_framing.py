"""Where messages end: one reading, in both directions."""

import pytest

from tests.functional.scripted import KEY, OK, Cut, Message, request
from tests.waiting import turns

HEAD = b"Host: gateway.example\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HEAD + b"\r\n"


def post(*lines):
    """A POST with these field lines, as bytes."""
    return b"".join([b"POST / HTTP/1.1\r\n", HEAD, *lines, b"\r\n"])


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(
            post(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
            id="CL.TE",
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n") + b"0\r\n\r\n",
            id="TE.CL",
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n"), id="TE.TE"
        ),
        pytest.param(post(b"Transfer-Encoding: gzip, chunked\r\n"), id="TE gzip, chunked"),
        pytest.param(post(b"Transfer-Encoding: chunked, chunked\r\n"), id="TE chunked twice"),
        pytest.param(post(b"Transfer-Encoding: xchunked\r\n"), id="TE xchunked"),
        pytest.param(post(b"Transfer-Encoding: identity\r\n"), id="TE identity"),
        pytest.param(post(b"Transfer-Encoding:\r\n"), id="TE empty"),
        pytest.param(post(b"Transfer-Encoding: \x0bchunked\r\n"), id="TE vertical tab"),
        pytest.param(post(b"Transfer-Encoding : chunked\r\n"), id="space before colon"),
        pytest.param(post(b"Transfer-Encoding:\r\n chunked\r\n"), id="obs-fold"),
        pytest.param(
            post(b"Content-Length: 1\r\n", b"Content-Length: 1\r\n"), id="CL twice, equal"
        ),
        pytest.param(post(b"Content-Length: 1\r\n", b"Content-Length: 2\r\n"), id="CL twice"),
        pytest.param(post(b"Content-Length: 1, 1\r\n"), id="CL list"),
        pytest.param(post(b"Content-Length: +1\r\n"), id="CL plus"),
        pytest.param(post(b"Content-Length: -1\r\n"), id="CL minus"),
        pytest.param(post(b"Content-Length: 0x1\r\n"), id="CL hex"),
        pytest.param(post(b"Content-Length: 1_0\r\n"), id="CL underscore"),
        pytest.param(post(b"Content-Length: 1 0\r\n"), id="CL space"),
        pytest.param(post(b"Content-Length:\r\n"), id="CL empty"),
        pytest.param(post(b"Content-Length: 99999999999999999999\r\n"), id="CL over 64 bits"),
        pytest.param(post(b"Content-Length: \xd9\xa1\r\n"), id="CL arabic digit"),
        pytest.param(post(b"X: a\nY: b\r\n"), id="bare LF"),
        pytest.param(post(b"X: a\rY: b\r\n"), id="bare CR"),
        pytest.param(post(b"X: a\x00b\r\n"), id="NUL"),
        pytest.param(post(b"X: a\x7fb\r\n"), id="DEL"),
        pytest.param(post(b"X\x00: a\r\n"), id="NUL in a name"),
        pytest.param(post(b": a\r\n"), id="empty name"),
        pytest.param(post(b"no colon\r\n"), id="no colon"),
        pytest.param(post(b" X: a\r\n"), id="space before a name"),
        pytest.param(post(b"Host: gateway.example\r\n"), id="Host twice"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", id="no Host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", id="Host with a slash"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", id="Host with userinfo"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", id="Host with a space"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", id="Host list"),
        pytest.param(
            b"GET http://other/ HTTP/1.1\r\nHost: gateway.example\r\n\r\n", id="two hosts"
        ),
        pytest.param(b"GET / HTTP/2.0\r\n" + HEAD + b"\r\n", id="HTTP/2.0"),
        pytest.param(b"GET / HTTP/1.2\r\n" + HEAD + b"\r\n", id="HTTP/1.2"),
        pytest.param(b"GET / http/1.1\r\n" + HEAD + b"\r\n", id="http/1.1"),
        pytest.param(b"GET /\r\n\r\n", id="HTTP/0.9"),
        pytest.param(b"GET  / HTTP/1.1\r\n" + HEAD + b"\r\n", id="two spaces"),
        pytest.param(b"GET /a b HTTP/1.1\r\n" + HEAD + b"\r\n", id="space in the target"),
        pytest.param(b"GET\t/ HTTP/1.1\r\n" + HEAD + b"\r\n", id="tab"),
        pytest.param(b"G@T / HTTP/1.1\r\n" + HEAD + b"\r\n", id="method is no token"),
        pytest.param(b"GET /\xff HTTP/1.1\r\n" + HEAD + b"\r\n", id="raw byte in the target"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\r\n\r\n", id="TLS inside TLS"),
        pytest.param(
            b"POST / HTTP/1.0\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
            id="TE in HTTP/1.0",
        ),
    ],
)
async def test_two_readings_are_refused_and_nothing_is_sent(start, willing, asked):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(asked, SMUGGLED)
    answer = await client.answer()

    assert (answer.status, answer.value("connection")) == (400, "close")
    assert willing.received == b""


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(b"GET / HTTP/1.1\nHost: x\n\n", id="no request"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", id="no host"),
        pytest.param(
            post(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
            id="CL.TE",
        ),
    ],
)
async def test_what_follows_a_refused_request_is_never_read_as_one(start, willing, asked):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(asked, SMUGGLED)
    await client.answer()
    client.send(SMUGGLED)

    assert await client.rest() == b""
    assert len(gateway.lines.of("request")) == 1
    assert willing.received == b""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"5;a\nb\r\n", id="LF in an extension"),
        pytest.param(b"5\n12345\n0\n\n", id="bare LF"),
        pytest.param(b"5 \r\n12345\r\n", id="space after the size"),
        pytest.param(b"0x5\r\n12345\r\n", id="0x"),
        pytest.param(b"+5\r\n12345\r\n", id="plus"),
        pytest.param(b"-5\r\n", id="minus"),
        pytest.param(b"\r\n", id="no size"),
        pytest.param(b"ffffffffffffffff1\r\n", id="size over 64 bits"),
        pytest.param(b"5\r\n1234567\r\n", id="more than the size says"),
        pytest.param(b"5\r\n12345XX0\r\n\r\n", id="no CRLF after the data"),
        pytest.param(b"0\r\nX : a\r\n\r\n", id="malformed trailer"),
        pytest.param(b"1" + b";x" * 600 + b"\r\n", id="long extension"),
        pytest.param((b"1;" + b"x" * 500 + b"\r\na\r\n") * 40, id="extension flood"),
        pytest.param(b"0\r\n" + b"X: a\r\n" * 4000, id="endless trailers"),
    ],
)
async def test_broken_chunks_end_the_request_on_both_sides(start, upstream, body):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(post(b"Transfer-Encoding: chunked\r\n"))
    connection, _ = await upstream.asked()
    client.send(body, SMUGGLED)
    answer = await client.answer()
    await connection.gone()

    assert (answer.status, answer.value("connection")) == (400, "close")
    assert b"0\r\n\r\n" not in connection.received.partition(b"\r\n\r\n")[2]
    assert b"smuggled" not in upstream.received


async def test_chunked_request_stays_chunked(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    body = b"3;ext=1\r\nabc\r\n000A\r\n0123456789\r\n0;last\r\n\r\n"
    client.send(post(b"Transfer-Encoding: Chunked\r\n"), body)
    connection, head = await upstream.asked()
    content, _ = await connection.chunked()
    connection.send(OK)

    assert Message(head).value("transfer-encoding") == "chunked"
    assert Message(head).value("content-length") is None
    assert content == b"abc0123456789"
    assert b"ext" not in connection.received
    assert (await client.answer()).status == 200


async def test_chunked_request_byte_by_byte(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    for byte in post(b"Transfer-Encoding: chunked\r\n") + b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n":
        client.send(bytes([byte]))
        await turns(1)
    connection, _ = await upstream.asked()
    content, _ = await connection.chunked()
    connection.send(OK)

    assert content == b"abc"
    assert (await client.answer()).status == 200


async def test_request_after_a_chunked_one_is_found(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(
        post(b"Transfer-Encoding: chunked\r\n"), b"1\r\na\r\n0\r\n\r\n", request("GET", "/2")
    )
    connection, _ = await upstream.asked()
    await connection.chunked()
    connection.send(OK)
    second = await connection.head()
    connection.send(OK)

    assert second.startswith(b"GET /2 ")
    assert [(await client.answer()).status for _ in range(2)] == [200, 200]


async def test_empty_lines_before_a_request_are_ignored(start, willing):
    # RFC 9112 section 2.2
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(b"\r\n", request("GET", "/"))

    assert (await client.answer()).status == 200


# --- Answers


async def asked(gateway, upstream, *lines):
    """A client that has asked, and the connection on which it is to be answered."""
    client = await gateway.connect()
    client.send(request("GET", "/", *lines))
    connection, _ = await upstream.asked()
    return client, connection


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            id="CL.TE",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", id="TE gzip"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", id="CL CL"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", id="CL list"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", id="CL plus"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", id="space before colon"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", id="obs-fold"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n", id="NUL"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n", id="bare CR"),
        pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n", id="bare LF"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", id="status of four digits"),
        pytest.param(b"HTTP/1.1 099 OK\r\n\r\n", id="status below 100"),
        pytest.param(b"HTTP/2 200 OK\r\n\r\n", id="HTTP/2"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="SSH"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x46" * 100, id="TLS alert"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", id="101 unasked"),
        pytest.param(b"HTTP/1.1 103 Hints\r\n\r\n" * 200, id="1xx flood"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", id="head over 64 KiB"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 1000 + b"\r\n", id="1000 fields"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="TE in 1.0"
        ),
    ],
)
async def test_answer_that_is_no_http_is_refused(start, upstream, answer):
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream)
    connection.send(answer)
    got = await client.answer()
    while 100 <= got.status < 200:
        got = await client.answer()
    await connection.gone()

    assert (got.status, got.json["error"]) == (502, "upstream_protocol_error")
    assert (await client.ask("GET", "/nowhere", key="wrong")).status == 401


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"5\r\nhello\r\nXYZ\r\n", id="bad size"),
        pytest.param(b"5\r\nhelloXX", id="no CRLF after the data"),
        pytest.param(b"5\r\nhello\r\n0\r\nbad trailer\r\n\r\n", id="bad trailer"),
        pytest.param(b"5\nhello\n", id="bare LF"),
        pytest.param(b"fffffffffffffffff\r\n", id="size over 64 bits"),
    ],
)
async def test_answer_with_broken_chunks_ends_as_a_cut(start, upstream, body):
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream)
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.send(b"2\r\nok\r\n")
    head = Message(await client.head())
    first = await client.chunk()
    connection.send(body)

    assert (head.status, first) == (200, b"ok")
    with pytest.raises(Cut):
        await client.chunked()
    assert (await gateway.lines.next("request"))["aborted"] is True


async def test_chunked_answer_keeps_its_content(start, upstream):
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream)
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.send(b"3;x=y\r\nabc\r\n0004\r\ndefg\r\n0\r\nX-Sum: 1\r\n\r\n")
    answer = await client.answer()

    assert (answer.value("transfer-encoding"), answer.value("content-length")) == ("chunked", None)
    assert (answer.body, answer.trailers) == (b"abcdefg", b"")


async def test_trailers_pass_to_whoever_takes_them(start, upstream):
    # RFC 9110 section 6.5.1; what authenticates or frames is no trailer.
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream, "TE: trailers", "Connection: TE")
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
    connection.send(b"2\r\nok\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\nSet-Cookie: a=b\r\n\r\n")
    answer = await client.answer()

    assert b"\r\nTE: trailers\r\n" in connection.received
    assert (answer.body, answer.trailers) == (b"ok", b"X-Sum: 1\r\n")


async def test_trailers_of_a_request_pass_without_what_authenticates(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(post(b"Transfer-Encoding: chunked\r\n", b"Trailer: X-Sum\r\n"))
    trailers = (
        b"X-Sum: 1\r\nAuthorization: Bearer x\r\nHost: evil\r\nX_Sum: 2\r\nX-Forwarded-For: 1\r\n"
    )
    client.send(b"1\r\na\r\n0\r\n", trailers, b"\r\n")
    connection, _ = await upstream.asked()
    _, arrived = await connection.chunked()
    connection.send(OK)

    assert arrived == b"X-Sum: 1\r\n"


async def test_answer_of_unknown_length_is_chunked_for_the_client(start, upstream):
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream)
    connection.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    head = Message(await client.head())
    first = await client.chunk()
    connection.close()

    assert (head.value("transfer-encoding"), first) == ("chunked", b"until the end")
    assert await client.chunked() == (b"", b"")
    assert (await client.ask("GET", "/nowhere", key="wrong")).status == 401


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        pytest.param("GET", OK + OK, id="second answer"),
        pytest.param("HEAD", OK, id="body after HEAD"),
        pytest.param("GET", b"HTTP/1.1 204 No Content\r\n\r\nbody", id="body after 204"),
        pytest.param("GET", b"HTTP/1.1 304 Not Modified\r\n\r\nbody", id="body after 304"),
        pytest.param(
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore",
            id="bytes after the last chunk",
        ),
    ],
)
async def test_bytes_that_nobody_asked_for_reach_nobody(start, upstream, method, answer):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request(method, "/1"))
    connection, _ = await upstream.asked()
    connection.send(answer)
    await client.answer(method)
    await connection.gone()
    client.send(request("GET", "/2"))
    other, head = await upstream.asked()
    other.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")

    assert head.startswith(b"GET /2 ")
    assert (await client.answer()).body == b"second"


async def test_unsolicited_answer_on_an_idle_connection_reaches_nobody(start, upstream):
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream)
    connection.send(OK)
    await client.answer()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray")
    await connection.gone()
    client.send(request("GET", "/2"))
    other, _ = await upstream.asked()
    other.send(OK)

    assert (await client.answer()).body == b"ok"


@pytest.mark.parametrize(
    "fields",
    [
        b"Connection: close\r\n",
        b"Connection: X, Close\r\n",
        b"Connection: x\r\nConnection: close\r\n",
    ],
)
async def test_upstream_that_closes_is_not_asked_again(start, upstream, fields):
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream)
    connection.send(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 0\r\n\r\n")
    answer = await client.answer()
    await connection.gone()

    assert answer.value("connection") is None
    assert len(upstream.connections) == 1


async def test_http_1_0_upstream(start, upstream):
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream)
    connection.send(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    answer = await client.answer()
    await connection.gone()

    assert (answer.start, answer.body) == (b"HTTP/1.1 200 OK", b"ok")


@pytest.mark.parametrize("size", [1, 7, 64])
async def test_answer_in_small_pieces(start, upstream, size):
    gateway = await start(upstream)
    client, connection = await asked(gateway, upstream)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
    text = head + b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
    for start_ in range(0, len(text), size):
        connection.send(text[start_ : start_ + size])
        await turns(1)

    assert (await client.answer()).body == b"abcd"
