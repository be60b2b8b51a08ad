"""A remote key set over real TLS on loopback, from a source that misbehaves."""

import asyncio
import contextlib
import gzip
import inspect
import json
import ssl

import pytest
import trustme
from aiohttp import TCPConnector, web
from cryptography.hazmat.primitives.asymmetric import rsa

from pyproxy.config.proxy import Proxy
from pyproxy.config.surroundings import NOWHERE
from pyproxy.identity.base64url import encode_unsigned
from pyproxy.identity.jwk_members import without_private
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.jwks_fetch import FetchFailed, fetch, open_session
from pyproxy.identity.jwks_source import RemoteKeySet
from pyproxy.identity.jws_algorithms import ALGORITHMS
from pyproxy.identity.signing_keys import generate_signing_key
from pyproxy.upstream.reason import in_words
from tests.connect_proxy import ConnectProxy

SIGNING = generate_signing_key("ES256")
FIRST = {**without_private(SIGNING), "kid": "first"}
SECOND = {**without_private(generate_signing_key("ES256")), "kid": "second"}
LEAKED = {**SIGNING, "kid": "leaked"}


def _document(*keys):
    return json.dumps({"keys": keys}).encode()


def _respond(body, status=200, **headers):
    return web.Response(
        body=body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


class Provider:
    """A key server that answers what it is told to.

    Attributes:
        answers: What each path answers; a callable is asked, an event is waited for.
        seen: Requests so far.
        asked: Set by the first of them.
    """

    def __init__(self, authority):
        self.authority = authority
        self.answers = {}
        self.seen = []
        self.asked = asyncio.Event()
        self.url = ""

    def serve(self, *keys, path="/jwks"):
        self.answers[path] = lambda _: _respond(_document(*keys))

    async def handle(self, request):
        self.seen.append(request)
        self.asked.set()
        answer = self.answers.get(request.path)
        if answer is None:
            return web.Response(status=404)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return _respond(_document(FIRST))
        answered = answer(request)
        return await answered if inspect.isawaitable(answered) else answered

    def client_context(self):
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
async def provider(authority):
    async with serving(authority) as provider:
        yield provider


@contextlib.asynccontextmanager
async def serving(authority):
    provider = Provider(authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    runner = web.ServerRunner(web.Server(provider.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    provider.url = f"https://localhost:{port}"
    yield provider
    for answer in provider.answers.values():
        if isinstance(answer, asyncio.Event):
            answer.set()
    await runner.cleanup()


def directly(host, port):
    """No proxy is on the way to any host."""
    del host, port


class FakeClock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Remote:
    """A remote key set with what it told its owner."""

    def __init__(self, provider, **changes):
        self.provider = provider
        self.clock = FakeClock()
        self.changes = []
        self.events = []
        self.changes_when_told = []
        self.told = asyncio.Event()
        settings = {"url": f"{provider.url}/jwks", "ttl_s": 300.0, "max_age_s": 86400.0}
        settings["proxy_for"] = directly
        self.keys = RemoteKeySet(
            **{**settings, **changes},
            algorithms=ALGORITHMS,
            session_factory=self.open_session,
            explain=in_words,
            clock=self.clock,
            on_change=self.changes.append,
            on_event=self.on_event,
        )

    def on_event(self, event, details):
        assert event == "jwks.reloaded"
        self.events.append(dict(details))
        self.changes_when_told.append(len(self.changes))
        self.told.set()

    def open_session(self):
        return open_session(TCPConnector(ssl=self.provider.client_context()))

    async def refresh(self):
        async with self.open_session() as session:
            await self.keys.refresh(session)

    def names(self):
        keys = self.keys.current(self.clock.now)
        return None if keys is None else [key.kid for key in keys.keys]

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.keys.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_keys_are_fetched_and_told(provider):
    provider.serve(FIRST, SECOND)
    remote = Remote(provider)

    await remote.refresh()

    assert remote.names() == ["first", "second"]
    assert [len(keys.keys) for keys in remote.changes] == [2]
    assert remote.events == [{"result": "ok", "source": f"{provider.url}/jwks", "keys": "2"}]


async def test_nothing_is_trusted_before_the_first_fetch(provider):
    assert Remote(provider).names() is None


async def test_an_unchanged_set_is_not_told_again(provider):
    provider.serve(FIRST)
    remote = Remote(provider)

    await remote.refresh()
    await remote.refresh()

    assert (len(provider.seen), len(remote.changes), len(remote.events)) == (2, 1, 1)


async def test_a_rotated_set_takes_the_place_of_the_old(provider):
    provider.serve(FIRST)
    remote = Remote(provider)
    await remote.refresh()
    provider.serve(SECOND)

    await remote.refresh()

    assert remote.names() == ["second"]
    assert len(remote.changes) == 2


async def test_an_etag_saves_the_body_and_renews_the_trust(provider):
    def answer(request):
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return _respond(_document(FIRST), ETag='"v1"')

    provider.answers["/jwks"] = answer
    remote = Remote(provider, max_age_s=1000.0)
    await remote.refresh()
    remote.clock.now += 999.0

    await remote.refresh()
    remote.clock.now += 999.0

    assert remote.names() == ["first"]
    assert [request.headers.get("If-None-Match") for request in provider.seen] == [None, '"v1"']
    assert len(remote.changes) == 1


async def test_an_etag_that_is_none_is_not_sent_back(provider):
    provider.answers["/jwks"] = lambda _: _respond(_document(FIRST), ETag="not quoted")
    remote = Remote(provider)
    await remote.refresh()

    await remote.refresh()

    assert "If-None-Match" not in provider.seen[1].headers


async def test_cookies_are_not_kept_and_nothing_of_ours_is_sent(provider):
    provider.answers["/jwks"] = lambda _: _respond(_document(FIRST), Set_Cookie="a=b; Path=/")
    remote = Remote(provider)

    async with remote.open_session() as session:
        await remote.keys.refresh(session)
        await remote.keys.refresh(session)

    assert len(provider.seen) == 2
    assert not any({"Cookie", "Authorization"} & set(each.headers) for each in provider.seen)


FAILURES = [
    pytest.param(lambda _: _respond(b"", 500), "status 500", id="500"),
    pytest.param(lambda _: _respond(b"", 304), "status 304", id="304 that nobody asked for"),
    pytest.param(lambda _: _respond(b"", 302, Location="/other"), "status 302", id="redirect"),
    pytest.param(
        lambda _: _respond(b"", 307, Location="http://127.0.0.1:1/"), "status 307", id="downgrade"
    ),
    pytest.param(lambda _: _respond(b"<html>", 200), "not a JWK set", id="HTML"),
    pytest.param(lambda _: _respond(b'{"keys":[NaN]}'), "not a JWK set", id="NaN"),
    pytest.param(lambda _: _respond(b"[" * 100_000), "not a JWK set", id="deep JSON"),
    pytest.param(lambda _: _respond(b" " * (256 * 1024 + 1)), "256 KiB", id="over 256 KiB"),
    pytest.param(
        lambda _: _respond(gzip.compress(_document(FIRST)), Content_Encoding="gzip"),
        "compressed",
        id="gzip",
    ),
    pytest.param(
        lambda _: _respond(b"", 302, Location="https://localhost:1/"), "status 302", id="other host"
    ),
    pytest.param(lambda _: _respond(b'{"keys":[],"keys":[]}'), "a member twice", id="member twice"),
    pytest.param(
        lambda _: _respond(_document(*({**FIRST, "kid": str(i)} for i in range(1000)))),
        "more than 100 keys",
        id="1,000 keys",
    ),
    pytest.param(
        lambda _: _respond(gzip.compress(bytes(50_000_000))),
        "not a JWK set",
        id="gzip bomb, unsaid",
    ),
    pytest.param(
        lambda _: _respond(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip"),
        "compressed",
        id="gzip bomb",
    ),
    pytest.param(
        lambda _: _respond(_document(FIRST), X_Big="a" * 100_000), "malformed", id="endless head"
    ),
    pytest.param(lambda _: _respond(_document()), "no usable key", id="no keys"),
    pytest.param(lambda _: _respond(_document({"kty": "oct", "k": "AA"})), "#1", id="oct alone"),
]


@pytest.mark.parametrize(("answer", "reason"), FAILURES)
async def test_a_failing_source_leaves_the_old_keys_in_force(provider, answer, reason):
    provider.serve(FIRST)
    remote = Remote(provider)
    await remote.refresh()
    provider.answers["/jwks"] = answer
    provider.serve(SECOND, path="/other")

    await remote.refresh()

    assert remote.names() == ["first"]
    assert len(remote.changes) == 1
    assert remote.events[-1]["result"] == "failed"
    assert remote.events[-1]["keys"] == "kept"
    assert reason in remote.events[-1]["reason"]
    assert [request.path for request in provider.seen] == ["/jwks", "/jwks"]


async def test_a_body_that_never_ends_is_read_up_to_the_limit(provider):
    given_up = asyncio.Event()

    async def never_ending(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b" " * (257 * 1024))
        await given_up.wait()
        return response

    provider.answers["/jwks"] = never_ending

    async with asyncio.timeout(5), Remote(provider).open_session() as session:
        with pytest.raises(FetchFailed, match="256 KiB"):
            await fetch(session, f"{provider.url}/jwks", in_words, directly)
    given_up.set()


async def test_a_failure_streak_is_told_once_and_its_end_too(provider):
    remote = Remote(provider)
    await remote.refresh()
    await remote.refresh()
    provider.serve(FIRST)

    await remote.refresh()

    assert [event["result"] for event in remote.events] == ["failed", "ok"]
    assert remote.events[0]["keys"] == "none"
    assert remote.names() == ["first"]


async def test_keys_past_their_maximum_age_are_no_longer_trusted(provider):
    provider.serve(FIRST)
    remote = Remote(provider, max_age_s=1000.0)
    await remote.refresh()
    del provider.answers["/jwks"]
    await remote.refresh()
    remote.clock.now += 1000.0

    assert remote.names() is None
    await remote.refresh()

    assert remote.changes[-1] is None
    assert [event.get("keys") for event in remote.events] == ["1", "kept", "lost"]


async def test_it_grows_old_from_the_last_good_fetch_or_from_its_beginning(provider):
    remote = Remote(provider)
    remote.clock.now += 5.0
    ages = [remote.keys.age_s(remote.clock.now)]
    failing = [remote.keys.is_failing]
    for serve in (provider.serve, lambda _: provider.answers.clear(), provider.serve):
        serve(FIRST)
        await remote.refresh()
        remote.clock.now += 2.0
        ages.append(remote.keys.age_s(remote.clock.now))
        failing.append(remote.keys.is_failing)

    assert ages == [5.0, 2.0, 4.0, 2.0]
    assert failing == [False, False, True, False]


async def test_lost_keys_come_back(provider):
    provider.answers["/jwks"] = lambda _: _respond(_document(FIRST), ETag='"v1"')
    remote = Remote(provider, max_age_s=1000.0)
    await remote.refresh()
    remote.clock.now += 1000.0
    answer = provider.answers.pop("/jwks")
    await remote.refresh()
    provider.answers["/jwks"] = answer

    await remote.refresh()

    assert remote.names() == ["first"]
    assert [keys is None for keys in remote.changes] == [False, True, False]
    assert "If-None-Match" not in provider.seen[-1].headers


async def test_a_published_private_key_is_refused_with_an_alarm(provider):
    provider.serve(LEAKED, SECOND)
    remote = Remote(provider)

    await remote.refresh()

    assert remote.names() == ["second"]
    assert remote.events[0]["refused"] == "1"
    assert remote.events[0]["alarm"] == "private keys published: leaked"
    assert SIGNING["d"] not in json.dumps(remote.events)


async def test_a_refused_key_is_told_by_name(provider):
    provider.serve(FIRST, {**SECOND, "use": "enc"})
    remote = Remote(provider)

    await remote.refresh()

    assert remote.events[0]["faults"] == "key second: use is not sig"
    assert "alarm" not in remote.events[0]


WEAK_RSA = rsa.generate_private_key(65537, 1024).public_key().public_numbers()  # noqa: S505
RSA = rsa.generate_private_key(65537, 2048).public_key().public_numbers()


def _rsa(numbers, exponent=None):
    return {
        "kty": "RSA",
        "kid": "bad",
        "n": encode_unsigned(numbers.n),
        "e": encode_unsigned(exponent or numbers.e),
    }


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(_rsa(WEAK_RSA), "1024 bits", id="RSA of 1024 bits"),
        pytest.param(_rsa(RSA, exponent=1), "exponent", id="e=1"),
        pytest.param({**SECOND, "kid": "bad", "use": "enc"}, "use is not sig", id="use=enc"),
        pytest.param({"kty": "oct", "kid": "bad", "k": "c2VjcmV0"}, "symmetric", id="symmetric"),
        pytest.param({**LEAKED, "kid": "bad"}, "private", id="private members"),
        pytest.param({**SECOND, "kid": "bad", "alg": "none"}, "alg", id="alg=none"),
        pytest.param({**SECOND, "kid": "bad", "x": "AA"}, "octets", id="point too short"),
    ],
)
async def test_a_bad_key_costs_its_neighbour_nothing(provider, bad, reason):
    provider.serve(bad, FIRST)
    remote = Remote(provider)

    await remote.refresh()

    assert remote.names() == ["first"]
    [told] = remote.events
    assert (told["result"], told["refused"]) == ("ok", "1")
    assert "bad" in told["faults"]
    assert reason in told["faults"]


async def test_of_two_keys_with_one_name_neither_is_used(provider):
    provider.serve({**FIRST, "kid": "twin"}, {**SECOND, "kid": "twin"}, FIRST)
    remote = Remote(provider)

    await remote.refresh()

    assert remote.names() == ["first"]
    assert remote.events[0]["refused"] == "2"


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "image/png", "x"])
async def test_what_a_source_calls_its_answer_does_not_matter(provider, kind):
    provider.answers["/jwks"] = lambda _: _respond(_document(FIRST), Content_Type=kind)
    remote = Remote(provider)

    await remote.refresh()

    assert remote.names() == ["first"]


async def test_a_redirect_to_another_host_is_not_followed(provider, authority):
    async with serving(authority) as elsewhere:
        elsewhere.serve(SECOND)
        provider.answers["/jwks"] = lambda _: _respond(b"", 302, Location=f"{elsewhere.url}/jwks")
        remote = Remote(provider)

        await remote.refresh()

        assert remote.names() is None
        assert elsewhere.seen == []


async def test_a_dripping_source_gets_no_extra_time(provider):
    given_up = asyncio.Event()

    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while not given_up.is_set():
            await response.write(b" ")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await given_up.wait()
        return response

    provider.answers["/jwks"] = drip
    session = open_session(TCPConnector(ssl=provider.client_context()), timeout_s=0.4)

    async with asyncio.timeout(5), session:
        with pytest.raises(FetchFailed, match="no answer in time"):
            await fetch(session, f"{provider.url}/jwks", in_words, directly)
    given_up.set()


async def test_a_hundred_megabytes_are_not_read(provider):
    sent = 0

    async def huge(request):
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": "100000000"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while sent < 100_000_000:
                await response.write(bytes(65536))
                sent += 65536
        return response

    provider.answers["/jwks"] = huge
    remote = Remote(provider)

    await remote.refresh()

    assert "256 KiB" in remote.events[0]["reason"]
    assert sent < 20_000_000  # what sockets hold on the way


async def test_a_source_that_fails_again_and_again_is_asked_ever_less(provider):
    remote = Remote(provider)
    waits = []
    for _ in range(9):
        await remote.refresh()
        waits.append(remote.keys._freshness.wait_s(remote.clock.now))

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    provider.serve(FIRST)
    await remote.refresh()
    assert remote.keys._freshness.wait_s(remote.clock.now) == 300.0


async def test_a_server_of_another_ca_is_not_believed(provider):
    provider.serve(FIRST)
    provider.authority = trustme.CA()
    remote = Remote(provider)

    await remote.refresh()

    assert remote.names() is None
    assert remote.events[0]["reason"].startswith("certificate verify failed: ")
    assert provider.seen == []


async def test_a_server_of_another_name_is_not_believed(provider):
    provider.serve(FIRST)
    remote = Remote(provider, url=provider.url.replace("localhost", "127.0.0.1") + "/jwks")

    await remote.refresh()

    assert "certificate is not valid for '127.0.0.1'" in remote.events[0]["reason"]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://localhost/jwks", id="http"),
        pytest.param("HTTP://localhost/jwks", id="HTTP in capitals"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("//localhost/jwks", id="no scheme"),
        pytest.param("https://user:secret@localhost/jwks", id="user and password"),
        pytest.param("https:///jwks", id="no host"),
        pytest.param("https://local host/jwks", id="space"),
        pytest.param("https://localhost/jwks\r\nX: y", id="header injection"),
        pytest.param("https://localhost\\@evil.example/", id="backslash"),
        pytest.param("https://localhost/#x", id="fragment"),
        pytest.param("https://[::1/jwks", id="broken address"),
        pytest.param("https://localhost:99999/", id="impossible port"),
        pytest.param("", id="empty"),
    ],
)
async def test_only_https_addresses_are_asked(provider, url):
    async with Remote(provider).open_session() as session:
        with pytest.raises(FetchFailed):
            await fetch(session, url, in_words, directly)


async def test_a_source_that_does_not_answer_is_given_up(provider):
    provider.answers["/jwks"] = asyncio.Event()
    connector = TCPConnector(ssl=provider.client_context())

    async with open_session(connector, timeout_s=0.125) as session:
        with pytest.raises(FetchFailed, match="in time"):
            await fetch(session, f"{provider.url}/jwks", in_words, directly)


async def test_a_source_that_is_down_is_given_up(provider):
    remote = Remote(provider, url="https://localhost:1/jwks?token=secret")

    await remote.refresh()

    assert remote.events[0]["source"] == "https://localhost:1/jwks"
    assert remote.events[0]["reason"] == "connection refused"
    assert "secret" not in json.dumps(remote.events)


async def _hangs_up(request):
    request.transport.abort()
    return web.Response()


async def _breaks_off(request):
    response = web.StreamResponse(headers={"Content-Length": "9"})
    await response.prepare(request)
    await response.write(b"{")
    request.transport.close()
    return response


async def _no_http(request):
    request.transport.write(b"HTTP/1.1 200 OK\r\n\0secret\r\n\r\n")
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(_hangs_up, "closed by the other side", id="no answer"),
        pytest.param(_breaks_off, "the answer broke off", id="half an answer"),
        pytest.param(_no_http, "the answer is malformed", id="no HTTP"),
    ],
)
async def test_a_source_that_breaks_off_is_told_in_words(provider, answer, reason):
    provider.answers["/jwks"] = answer
    remote = Remote(provider)

    await remote.refresh()

    assert remote.events[0]["reason"] == reason
    assert "secret" not in json.dumps(remote.events)


async def test_who_is_told_of_lost_keys_finds_them_gone(provider):
    provider.serve(FIRST)
    remote = Remote(provider)
    await remote.refresh()
    provider.answers["/jwks"] = _hangs_up
    await remote.refresh()
    remote.clock.now += 86400.0

    await remote.refresh()

    assert [event["keys"] for event in remote.events] == ["1", "kept", "lost"]
    assert remote.changes_when_told == [0, 1, 2]
    assert remote.changes[-1] is None


# Discovery


def _discoverable(provider, issuer=None, jwks_uri=None):
    document = {
        "issuer": issuer or provider.url,
        "jwks_uri": jwks_uri or f"{provider.url}/jwks",
    }
    path = "/.well-known/openid-configuration"
    provider.answers[path] = lambda _: _respond(json.dumps(document).encode())
    return Remote(provider, url="", issuer_url=provider.url)


async def test_an_issuers_keys_are_discovered_once_an_hour(provider):
    provider.serve(FIRST)
    remote = _discoverable(provider)

    await remote.refresh()
    await remote.refresh()
    remote.clock.now += 3600.0
    await remote.refresh()

    assert remote.names() == ["first"]
    discovery = "/.well-known/openid-configuration"
    assert [each.path for each in provider.seen] == [
        discovery, "/jwks", "/jwks", discovery, "/jwks"
    ]  # fmt: skip


async def test_a_provider_that_moved_its_keys_is_discovered_again(provider):
    provider.serve(FIRST)
    remote = _discoverable(provider)
    await remote.refresh()
    del provider.answers["/jwks"]
    provider.serve(SECOND, path="/moved")
    _discoverable(provider, jwks_uri=f"{provider.url}/moved")

    await remote.refresh()
    await remote.refresh()

    assert remote.names() == ["second"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"issuer": "https://evil.example"}, "another issuer's", id="other issuer"),
        pytest.param({"jwks_uri": "http://127.0.0.1:1/jwks"}, "not an https", id="http jwks_uri"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, "not an https", id="file jwks_uri"),
    ],
)
async def test_a_discovery_that_leads_astray_is_refused(provider, changes, reason):
    provider.serve(FIRST)
    remote = _discoverable(provider, **changes)

    await remote.refresh()

    assert remote.names() is None
    assert reason in remote.events[0]["reason"]
    assert len(provider.seen) == 1


# In the background


async def test_running_fetches_at_once_and_again_after_the_ttl(provider):
    provider.serve(FIRST)
    remote = Remote(provider, ttl_s=0.0625)

    async with asyncio.timeout(5), remote.running():
        await remote.told.wait()
        remote.told.clear()
        provider.serve(SECOND)
        await remote.told.wait()

    assert [len(provider.seen) >= 2, remote.names()] == [True, ["second"]]


async def test_an_unknown_key_brings_a_fetch(provider):
    provider.serve(FIRST)
    remote = Remote(provider)

    async with asyncio.timeout(5), remote.running():
        await remote.told.wait()
        provider.serve(FIRST, SECOND)
        await remote.keys.freshen()

        assert remote.names() == ["first", "second"]


async def test_a_thousand_unknown_keys_bring_one_fetch(provider):
    provider.serve(FIRST)
    remote = Remote(provider)

    async with asyncio.timeout(5), remote.running():
        await remote.told.wait()
        await asyncio.gather(*(remote.keys.freshen() for _ in range(500)))
        for _ in range(500):
            await remote.keys.freshen()

        assert len(provider.seen) == 2
        remote.clock.now += 30.0
        await remote.keys.freshen()

        assert len(provider.seen) == 3


async def test_whoever_comes_during_the_first_fetch_waits_for_it(provider):
    gate = provider.answers["/jwks"] = asyncio.Event()
    remote = Remote(provider)

    async with asyncio.timeout(5), remote.running(), asyncio.TaskGroup() as group:
        await provider.asked.wait()
        waiting = [group.create_task(remote.keys.freshen()) for _ in range(10)]
        gate.set()
        await asyncio.gather(*waiting)

        assert remote.names() == ["first"]
        assert len(provider.seen) == 1


async def test_nobody_waits_longer_than_a_second(provider):
    provider.answers["/jwks"] = asyncio.Event()
    remote = Remote(provider)
    loop = asyncio.get_running_loop()

    async with asyncio.timeout(5), remote.running():
        await provider.asked.wait()
        started = loop.time()
        await remote.keys.freshen()

        assert 0.9 < loop.time() - started < 3.0
    assert remote.names() is None


async def test_a_set_that_is_equal_is_equal(provider):
    provider.serve(FIRST)
    remote = Remote(provider)

    await remote.refresh()

    expected = KeySet.parse(
        _document(FIRST), algorithms=ALGORITHMS, source=f"{provider.url}/jwks", public_only=True
    )
    assert remote.keys.current(remote.clock.now) == expected


# --- Through a proxy


@pytest.mark.parametrize("url", ["https://[::1/jwks", "https://host:99999/jwks"])
async def test_what_is_no_address_is_said(provider, url):
    remote = Remote(provider, url=url)
    await remote.refresh()

    assert remote.events[0]["reason"] == "not an address that can be asked"


def through(proxy, url=None):
    """The way to every host is this proxy."""
    found = Proxy.parse(url or proxy.url, NOWHERE)
    return lambda _host, _port: found


async def test_it_is_fetched_through_the_proxy(provider):
    provider.serve(FIRST)
    port = int(provider.url.rpartition(":")[2])
    async with ConnectProxy(leads_to=port) as proxy:
        url = proxy.url.replace("://", "://alice:secret@")
        remote = Remote(provider, proxy_for=through(proxy, url))
        await remote.refresh()

    assert remote.names() == ["first"]
    (head,) = proxy.heads
    assert head.startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % port)
    assert b"Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n" in head
    assert "Proxy-Authorization" not in provider.seen[0].headers


async def test_way_is_asked_for_by_host_and_port_at_each_fetch(provider):
    asked = []
    issuer = provider.url
    provider.serve(FIRST)
    provider.answers["/.well-known/openid-configuration"] = lambda _: _respond(
        json.dumps({"issuer": issuer, "jwks_uri": f"{issuer}/jwks"}).encode()
    )
    remote = Remote(
        provider,
        url="",
        issuer_url=issuer,
        proxy_for=lambda host, port: asked.append((host, port)),
    )
    await remote.refresh()
    await remote.refresh()

    assert remote.names() == ["first"]
    assert asked == [("localhost", int(issuer.rpartition(":")[2]))] * 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b"HTTP/1.1 407 secret\r\n\r\n", "the proxy answered 407", id="credentials"),
        pytest.param(b"HTTP/1.1 403 secret\r\n\r\n", "the proxy answered 403", id="forbidden"),
        pytest.param(b"SSH-2.0-secret\r\n", "the answer is malformed", id="no HTTP"),
        pytest.param(b"", "closed by the other side", id="closes"),
    ],
)
async def test_proxys_refusal_is_said(provider, answer, reason):
    async with ConnectProxy(answer) as proxy:
        url = proxy.url.replace("://", "://alice:secret@")
        remote = Remote(provider, proxy_for=through(proxy, url))
        await remote.refresh()

    assert [event["reason"] for event in remote.events] == [reason]
    assert "secret" not in str(remote.events)
    assert provider.seen == []


async def test_proxy_that_is_gone_is_said(provider):
    async with ConnectProxy() as proxy:
        pass
    remote = Remote(provider, proxy_for=through(proxy))
    await remote.refresh()

    assert remote.events[0]["reason"] == "the proxy cannot be reached: connection refused"


async def test_certificate_is_the_sources_to_show(provider):
    """A proxy that leads somewhere else cannot put keys in."""
    provider.serve(FIRST)
    port = int(provider.url.rpartition(":")[2])
    async with ConnectProxy(leads_to=port) as proxy:
        remote = Remote(provider, url="https://issuer.invalid/jwks", proxy_for=through(proxy))
        await remote.refresh()

    assert remote.names() is None
    assert "certificate verify failed" in remote.events[0]["reason"]
    assert provider.seen == []
