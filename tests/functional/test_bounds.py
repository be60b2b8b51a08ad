"""Both sides of every bound of a request: the last that passes, the first that does not.

docs/limits.md lists them, and names the tests here.
"""

import json
import time

import bcrypt
import jwt
import pytest

from pyproxy.downstream.incoming import MAX_REQUEST_LINE
from pyproxy.models.name import MAX_MODEL
from pyproxy.upstream.answer import MAX_HEAD, MAX_INTERIM
from pyproxy.wire.chunked import MAX_EXTENSION_BYTES, MAX_SIZE_LINE, MAX_TRAILER_BYTES
from pyproxy.wire.head import MAX_FIELDS
from tests.functional.scripted import OK, request

FRAME = len("GET / HTTP/1.1")


async def code_of(gateway, *arguments, **named):
    """Status and code of an answer; an upstream's has no code."""
    answer = await gateway.ask(*arguments, **named)
    return answer.status, "" if answer.status == 200 else answer.json["error"]


# --- The head


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (MAX_REQUEST_LINE - 2, (200, "")),
        (MAX_REQUEST_LINE - 1, (414, "uri_too_long")),
    ],
)
async def test_request_line(start, willing, length, expected):
    gateway = await start(willing)

    assert await code_of(gateway, "GET", "/" + "a" * (length - FRAME)) == expected


@pytest.mark.parametrize("size", [16 * 1024, 4096])
async def test_header_fields(start, willing, size):
    server = "" if size == 16 * 1024 else 'max_header_size = "4KiB"'
    gateway = await start(willing, server=server)
    frame = len(request("GET", "/", "X-Pad: ")) - len("GET / HTTP/1.1\r\n") - 2

    assert await code_of(gateway, "GET", "/", "X-Pad: " + "a" * (size - frame)) == (200, "")
    assert await code_of(gateway, "GET", "/", "X-Pad: " + "a" * (size - frame + 1)) == (
        431,
        "headers_too_large",
    )


async def test_number_of_fields(start, willing):
    gateway = await start(willing)
    own = 2  # Host and Authorization
    few = [f"X-{i}: a" for i in range(MAX_FIELDS - own)]

    assert await code_of(gateway, "GET", "/", *few) == (200, "")
    assert await code_of(gateway, "GET", "/", *few, "X-One: more") == (400, "bad_request")


# --- Credentials


async def test_authorization_field(start, willing):
    gateway = await start(willing, auth='max_token = "64KiB"')
    most = 8 * 1024 - len("Bearer ")

    assert (await code_of(gateway, "GET", "/", key="x" * most))[0] == 401
    assert await code_of(gateway, "GET", "/", key="x" * (most + 1)) == (400, "bad_request")


@pytest.mark.parametrize(("setting", "most"), [("", 4096), ('max_token = "1KiB"', 1024)])
async def test_credential(start, willing, setting, most):
    gateway = await start(willing, auth=setting)

    assert (await code_of(gateway, "GET", "/", key="x" * most))[0] == 401
    assert await code_of(gateway, "GET", "/", key="x" * (most + 1)) == (400, "bad_request")


@pytest.mark.parametrize(("length", "status"), [(256, 200), (257, 401)])
async def test_subject_of_a_token(start, willing, signing, signing_keys, length, status):
    gateway = await start(willing, auth=signing)
    key, now = signing_keys["keys"][0], int(time.time())
    claims = {"sub": "a" * length, "iat": now, "exp": now + 60, "iss": "us", "aud": "them"}
    private = jwt.algorithms.ECAlgorithm.from_jwk(json.dumps(key))

    token = jwt.encode(claims, private, "ES256", {"kid": key["kid"]})

    assert (await code_of(gateway, "GET", "/", key=token))[0] == status


@pytest.mark.parametrize(("length", "status"), [(72, 200), (73, 401)])
async def test_secret_that_bcrypt_takes(start, willing, length, status):
    # bcrypt looks at 72 bytes: a longer key that begins with a known one is another key.
    known = "k" * 72
    digest = bcrypt.hashpw(known.encode(), bcrypt.gensalt(4)).decode()
    gateway = await start(willing, keys_text=f"carol:{digest}\n")

    assert (await code_of(gateway, "GET", "/", key="k" * length))[0] == status


# --- Bodies


@pytest.mark.parametrize(("announced", "status"), [(100_000_000, None), (100_000_001, 413)])
async def test_announced_body(start, upstream, announced, status):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("POST", "/", f"Content-Length: {announced}"), b"begun")

    if status is None:
        _, head = await upstream.asked()
        assert b"Content-Length: 100000000\r\n" in head
    else:
        answer = await client.answer()
        assert (answer.status, answer.json["error"]) == (413, "body_too_large")


@pytest.mark.parametrize(("size", "status"), [(1024, 200), (1025, 413)])
@pytest.mark.parametrize("is_chunked", [True, False], ids=["chunked", "announced"])
@pytest.mark.parametrize("where", ["server", "route"])
async def test_body(start, willing, size, status, is_chunked, where):
    gateway = await start(willing, **{where: 'max_body = "1KiB"'})
    client = await gateway.connect()
    if is_chunked:
        client.send(request("POST", "/", "Transfer-Encoding: chunked"))
        client.send(b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size))
    else:
        client.send(request("POST", "/", body=b"x" * size))

    assert (await client.answer()).status == status


@pytest.mark.parametrize("path", ["/token", "/token/revoke", "/verify"])
async def test_body_of_an_own_endpoint(start, willing, signing, path):
    gateway = await start(willing, auth=signing)
    method = "GET" if path == "/verify" else "POST"

    fits = await gateway.ask(method, path, body=b"x" * 1024)
    assert fits.status in {200, 400}  # a key cannot be revoked
    assert fits.body != b'{"error":"body_too_large"}'
    assert await code_of(gateway, method, path, body=b"x" * 1025) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(
            b"1;a=" + b"b" * (MAX_SIZE_LINE - 6) + b"\r\nx\r\n0\r\n\r\n", 200, id="size line"
        ),
        pytest.param(
            b"1;a=" + b"b" * (MAX_SIZE_LINE - 5) + b"\r\nx\r\n0\r\n\r\n", 400, id="long size line"
        ),
        pytest.param(
            (b"1;a=" + b"b" * 509 + b"\r\nx\r\n") * (MAX_EXTENSION_BYTES // 512) + b"0\r\n\r\n",
            200,
            id="extensions",
        ),
        pytest.param(
            (b"1;a=" + b"b" * 509 + b"\r\nx\r\n") * (MAX_EXTENSION_BYTES // 512 + 1) + b"0\r\n\r\n",
            400,
            id="too many extensions",
        ),
        pytest.param(
            b"0\r\nX: " + b"a" * (MAX_TRAILER_BYTES - 5) + b"\r\n\r\n", 200, id="trailers"
        ),
        pytest.param(
            b"0\r\nX: " + b"a" * (MAX_TRAILER_BYTES - 4) + b"\r\n\r\n", 400, id="long trailers"
        ),
    ],
)
async def test_framing_of_chunks(start, willing, body, status):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(request("POST", "/", "Transfer-Encoding: chunked"), body)

    assert (await client.answer()).status == status


@pytest.mark.parametrize(("length", "status"), [(MAX_MODEL, 200), (MAX_MODEL + 1, 403)])
async def test_name_of_a_model(start, willing, length, status):
    gateway = await start(willing, route='models = ["*"]')
    body = json.dumps({"model": "m" * length}).encode()

    answer = await gateway.ask("POST", "/v1/x", "Content-Type: application/json", body=body)

    assert answer.status == status


# --- Answers


@pytest.mark.parametrize(("over", "status"), [(0, 200), (1, 502)])
async def test_head_of_an_answer(start, upstream, over, status):
    gateway = await start(upstream)
    client = await gateway.connect(limit=2 * MAX_HEAD)
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    frame = len(OK) - len(b"ok") + len(b"X: \r\n")
    pad = b"X: %b\r\n" % (b"a" * (MAX_HEAD - frame + over))
    connection.send(OK.replace(b"Content-Length", pad + b"Content-Length"))

    assert (await client.answer()).status == status


@pytest.mark.parametrize(("count", "status"), [(MAX_INTERIM, 200), (MAX_INTERIM + 1, 502)])
async def test_interim_answers(start, upstream, count, status):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 103 Hints\r\n\r\n" * count, OK)
    answer = await client.answer()
    while answer.status == 103:
        answer = await client.answer()

    assert answer.status == status
