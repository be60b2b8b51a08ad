"""The admin listener over real sockets: what it serves, to whom, and what it makes of attacks."""

import asyncio
import socket
import time
from contextlib import asynccontextmanager

import pytest

from pyproxy.admin.desk import AdminDesk
from pyproxy.admin.guard import FAILURES
from pyproxy.admin.window import Window
from pyproxy.config.server import ServerSettings
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError
from pyproxy.errors.refusal import NoWorker
from pyproxy.runtime.admin_listener import AdminListener
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.inherited import Inherited
from pyproxy.runtime.opening import Opening
from pyproxy.runtime.tasks import Tasks
from pyproxy.telemetry.report import Report
from tests.admin_scene import Bans, endpoint, report, snapshot
from tests.functional.scripted import HOST, Client, Cut, Lines
from tests.waiting import turns

PLAIN = {"listeners": [{"bind": "0.0.0.0:5000"}]}
TOKEN = "a-token-of-operators-5b1f"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Gauge:
    """Shows what a test has put there."""

    def __init__(self):
        self.now = snapshot()

    def look(self):
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


class Admin:
    """An admin listener, the gateway that it shows, and what it writes down."""

    def __init__(self, tasks, lines):
        self.gauge, self.bans, self.lines = Gauge(), Bans(), lines
        self.clients, self.keepings = [], 0
        self.desk = AdminDesk(
            gauge=self.gauge,
            window=Window(),
            bans=self.bans,
            audit=lines.audit,
            now=time.monotonic,
            wall=time.time,
            new_id=lambda: "an-id",
            elsewhere=Blocking().call,
            report=lambda exc, _: lines.report("admin", exc),
        )
        opening = Opening(Blocking(), Inherited())
        self.listener = AdminListener(self.desk, lines, tasks, opening, self._keep)

    async def _keep(self):
        self.keepings += 1
        await asyncio.Event().wait()

    async def serve(self, **server):
        """Have it serve by other settings; what there is to remark on."""
        server = {"admin": f"{HOST}:0", **server}
        settings = Settings.model_validate({"server": server, **PLAIN})
        remarks = await self.listener.prepare(settings)
        self.listener.commit()
        await turns()
        return remarks

    @property
    def port(self):
        return int(self.lines.of("admin.ready")[-1]["port"])

    async def connect(self, port=None):
        reader, writer = await asyncio.open_connection(HOST, port or self.port)
        self.clients.append(writer)
        return Client(reader, writer)

    async def ask(self, method, path, *lines, host="localhost", body=b""):
        client = await self.connect()
        head = [f"{method} {path} HTTP/1.1", f"Host: {host}", *lines]
        head += [f"Content-Length: {len(body)}"] if body else []
        client.send("\r\n".join([*head, "", ""]).encode("latin-1"), body)
        return await client.answer(method)

    def audited(self, event):
        return [(line["result"], line["details"]) for line in self.lines.of(event)]


@asynccontextmanager
async def made():
    lines = Lines()
    async with Tasks(lines.report) as tasks:
        admin = Admin(tasks, lines)
        yield admin
        for client in admin.clients:
            client.close()
        await admin.listener.end()
    assert TOKEN not in "\n".join(lines.texts)


@pytest.fixture
async def idle():
    """One that serves nowhere yet."""
    async with made() as admin:
        yield admin
        assert not admin.lines.of("failure")


@pytest.fixture
async def admin(idle):
    """One that serves whoever reaches it."""
    await idle.serve()
    return idle


@pytest.fixture
async def guarded(idle):
    """One that asks for a token."""
    await idle.serve(admin_token=TOKEN)
    return idle


# --- What it serves


@pytest.mark.parametrize(
    ("path", "content_type", "part"),
    [
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", b"pyproxy_requests_total{"),
        ("/ready", "application/json", b'{"ready":true,"reasons":[]}'),
        ("/status", "application/json", b'"routes":[{"name":"one"'),
        ("/bans", "application/json", b'{"bans":[]}'),
        ("/", "text/html; charset=utf-8", b"<!doctype html>"),
        ("/%6detrics", "text/plain; version=0.0.4; charset=utf-8", b"pyproxy_requests_total{"),
        ("/ready?x=1", "application/json", b'"ready":true'),
    ],
)
async def test_it_serves(admin, path, content_type, part):
    answer = await admin.ask("GET", path)

    assert answer.status == 200
    assert answer.value("content-type") == content_type
    assert part in answer.body
    assert answer.value("cache-control") == "no-store"
    assert answer.value("x-content-type-options") == "nosniff"
    assert answer.value("referrer-policy") == "no-referrer"
    assert answer.value("server") is None


@pytest.mark.parametrize("path", ["/metrics", "/ready", "/status", "/bans", "/"])
async def test_head_says_the_same_without_a_body(admin, path):
    client = await admin.connect()
    client.send(
        f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /ready HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    )

    head = await client.answer("HEAD")
    assert head.status == 200
    assert int(head.value("content-length")) > 2
    assert (await client.answer()).json["ready"]


async def test_the_page_runs_nothing_but_its_own(admin):
    policy = (await admin.ask("GET", "/")).value("content-security-policy")

    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    for part in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"):
        assert part in policy


async def test_who_is_not_ready_says_so_in_its_status(admin):
    admin.gauge.now = snapshot(
        is_draining=True, report=report(endpoints=(endpoint("two", "http://c", "out"),))
    )

    answer = await admin.ask("GET", "/ready")
    assert answer.status == 503
    assert answer.json == {
        "ready": False,
        "reasons": ["the gateway is draining", "route two: http://c is out"],
    }


async def test_a_person_is_led_from_the_figures_to_the_page(admin):
    person = await admin.ask("GET", "/status", f"Accept: {CHROME}")
    program = await admin.ask("GET", "/status", "Accept: */*")

    assert (person.status, person.value("location")) == (303, "/")
    assert person.value("vary") == program.value("vary") == "Accept"
    assert program.json["requests"]["total"] == 14


async def test_a_gateway_that_has_just_begun_has_metrics(admin):
    admin.gauge.now = snapshot(report=Report())

    assert b"pyproxy_build_info{" in (await admin.ask("GET", "/metrics")).body


async def test_a_ban_is_lifted_and_that_is_written_down(admin):
    admin.bans.left_s = {"192.0.2.7": 800.1, "2001:db8::/64": 2.0}

    listed = (await admin.ask("GET", "/bans")).json
    lifted = await admin.ask("DELETE", "/bans?address=2001:db8::99")
    again = await admin.ask("DELETE", "/bans?address=2001:db8::99")

    assert listed["bans"][0] == {"address": "192.0.2.7", "seconds_left": 800.1}
    assert (lifted.status, lifted.json) == (200, {"lifted": True})
    assert (again.status, again.json["error"]) == (404, "not_found")
    assert list(admin.bans.left_s) == ["192.0.2.7"]
    client = {"client": "2001:db8::/64"}
    assert admin.audited("ban.lifted") == [("lifted", client), ("not_found", client)]


async def test_a_fault_of_ours_is_told_to_the_operator_alone():
    async with made() as admin:
        await admin.serve()
        admin.gauge.now = RuntimeError("a-detail")

        answer = await admin.ask("GET", "/status")
        assert answer.status == 500
        assert answer.value("x-request-id") == "an-id"
        assert b"a-detail" not in answer.body
        admin.gauge.now = NoWorker()
        assert (await admin.ask("GET", "/status")).json["error"] == "no_worker"
        assert len(admin.lines.of("failure")) == 1


# --- To whom


@pytest.mark.parametrize("path", ["/metrics", "/ready", "/status", "/bans", "/nothing"])
async def test_whoever_lacks_the_token_learns_nothing(guarded, path):
    bare = await guarded.ask("GET", path)
    wrong = await guarded.ask("GET", path, "Authorization: Bearer of-bad-news")

    assert (bare.status, bare.json["error"]) == (401, "missing_token")
    assert (wrong.status, wrong.json["error"]) == (401, "invalid_token")
    assert bare.value("www-authenticate") == wrong.value("www-authenticate") == "Bearer"
    assert guarded.audited("access.denied") == [
        ("missing_token", {"listener": "admin", "path": path})
    ]
    assert guarded.audited("auth.failed") == [
        ("invalid_token", {"listener": "admin", "path": path})
    ]


async def test_whoever_has_it_is_served(guarded):
    answer = await guarded.ask("GET", "/ready", f"Authorization: Bearer {TOKEN}", host="a.test")

    assert answer.status == 200


async def test_the_page_asks_for_the_token_and_so_comes_without_one(guarded):
    assert (await guarded.ask("GET", "/", host="admin.example.com")).status == 200
    assert (await guarded.ask("POST", "/")).status == 405


async def test_guessing_is_slowed_down(guarded):
    statuses = [
        (await guarded.ask("GET", "/ready", f"Authorization: Bearer guess-{i}")).status
        for i in range(FAILURES.quota + 3)
    ]

    assert statuses == [401] * FAILURES.quota + [429] * 3
    refused = await guarded.ask("GET", "/ready", f"Authorization: Bearer {TOKEN}")
    assert refused.status == 429
    assert 1 <= int(refused.value("retry-after")) <= 60


async def test_a_token_that_changed_counts_at_once(guarded):
    client = await guarded.connect()
    await guarded.serve(admin_token="another-one-of-theirs")

    client.send(f"GET /ready HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    assert (await client.answer()).status == 401
    assert len(guarded.lines.of("admin.ready")) == 1


@pytest.mark.parametrize(
    "host", ["rebound.example.com", "127.0.0.1.nip.io", "localhost.example.com:80"]
)
@pytest.mark.parametrize("path", ["/", "/status", "/metrics", "/bans"])
async def test_a_page_whose_name_was_led_here_is_turned_away(admin, host, path):
    answer = await admin.ask("GET", path, host=host)

    assert (answer.status, answer.json["error"]) == (403, "host_not_allowed")
    assert answer.json["message"].startswith("Without an admin token")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Origin: https://evil.test"], id="Origin"),
        pytest.param(["Origin: null"], id="null"),
        pytest.param(["Sec-Fetch-Site: cross-site"], id="Sec-Fetch-Site"),
        pytest.param(["Sec-Fetch-Site: same-site", "Origin: http://localhost"], id="same-site"),
    ],
)
async def test_a_page_of_another_origin_changes_nothing(admin, lines):
    admin.bans.left_s = {"192.0.2.7": 800.0}

    answer = await admin.ask("DELETE", "/bans?address=192.0.2.7", *lines)
    assert (answer.status, answer.json["error"]) == (403, "cross_origin")
    assert admin.bans.left_s
    assert answer.value("access-control-allow-origin") is None


async def test_a_browsers_question_before_a_foreign_delete_is_refused(admin):
    answer = await admin.ask(
        "OPTIONS", "/bans", "Origin: https://evil.test", "Access-Control-Request-Method: DELETE"
    )

    assert answer.status == 405
    assert not answer.values("access-control-allow-methods")


async def test_our_own_page_lifts_a_ban(admin):
    admin.bans.left_s = {"192.0.2.7": 800.0}

    own = f"localhost:{admin.port}"
    lines = (f"Origin: http://{own}", "Sec-Fetch-Site: same-origin")
    answer = await admin.ask("DELETE", "/bans?address=192.0.2.7", *lines, host=own)
    assert answer.json == {"lifted": True}


# --- What it makes of attacks


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "/metrics", 405, "GET, HEAD"),
        ("PUT", "/status", 405, "GET, HEAD"),
        ("DELETE", "/status", 405, "GET, HEAD"),
        ("POST", "/bans?address=192.0.2.7", 405, "DELETE, GET, HEAD"),
        ("get", "/bans", 405, "DELETE, GET, HEAD"),
        ("TRACE", "/", 405, "GET, HEAD"),
        ("CONNECT", "localhost:80", 400, None),
        ("OPTIONS", "*", 404, None),
        ("GET", "/nothing", 404, None),
        ("GET", "/status/", 404, None),
        ("GET", "/Status", 404, None),
        ("GET", "/../status", 400, None),
        ("GET", "/x/..;/status", 400, None),
        ("GET", "/%2e%2e/status", 400, None),
        ("GET", "//status", 400, None),
        ("GET", "/sta\\tus", 400, None),
        ("GET", "/status%00", 400, None),
        ("GET", "http://localhost/ready", 200, None),
        ("GET", "http://evil.test/ready", 400, None),
        ("DELETE", "/bans", 400, None),
        ("DELETE", "/bans?address=x", 400, None),
        ("GET", "/ready?" + "a" * 20_000, 414, None),
    ],
)
async def test_what_is_not_served_is_refused(admin, method, path, status, allow):
    answer = await admin.ask(method, path)

    assert answer.status == status
    assert answer.value("allow") == allow


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /ready HTTP/1.1\r\n\r\n", id="no Host"),
        pytest.param(b"GET /ready HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", id="two Hosts"),
        pytest.param(b"GET /ready HTTP/1.1\r\nHost: a b\r\n\r\n", id="no Host's text"),
        pytest.param(b"GET /ready HTTP/1.1\nHost: a\n\n", id="bare LF"),
        pytest.param(b"GET /ready HTTP/1.1\r\nHost : a\r\n\r\n", id="space before the colon"),
        pytest.param(
            b"GET /ready HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"
            b"\r\n\r\n",
            id="CL.TE",
        ),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
    ],
)
async def test_what_is_no_request_is_answered_and_closed(admin, head):
    client = await admin.connect()
    client.send(head)

    answer = await client.answer()
    assert answer.status == 400
    assert answer.value("connection") == "close"
    assert answer.json["error"] == "bad_request"
    assert await client.rest() == b""


async def test_a_huge_head_is_refused(admin):
    client = await admin.connect()
    client.send(b"GET /ready HTTP/1.1\r\nHost: a\r\n", b"X: " + b"a" * 100_000)

    assert (await client.answer()).status == 431


async def test_more_fields_than_anybody_sends_are_refused(admin):
    assert (await admin.ask("GET", "/ready", *["X: y"] * 300)).status == 400


async def test_a_head_that_drips_has_an_end(idle):
    await idle.serve(header_timeout="200ms")
    client = await idle.connect()
    client.send(b"GET /rea")

    assert (await client.answer()).status == 408


async def test_a_client_that_says_nothing_has_an_end(idle):
    await idle.serve(header_timeout="100ms", idle_timeout="100ms")
    silent, done = await idle.connect(), await idle.connect()
    done.send(b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\n")

    assert (await done.answer()).status == 200
    assert await silent.rest() == await done.rest() == b""


async def test_pipelined_requests_are_answered_in_order(admin):
    client = await admin.connect()
    client.send(
        *(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % each for each in (b"/ready", b"/bans") * 20)
    )

    for _ in range(20):
        assert (await client.answer()).json["ready"]
        assert (await client.answer()).json == {"bans": []}


async def test_a_body_that_nobody_asked_for_does_not_become_a_request(admin):
    hidden = b"DELETE /bans?address=192.0.2.7 HTTP/1.1\r\nHost: a\r\n\r\n"
    admin.bans.left_s = {"192.0.2.7": 800.0}

    assert (await admin.ask("GET", "/ready", body=hidden)).status == 200
    assert admin.bans.left_s


async def test_a_long_body_is_refused(admin):
    client = await admin.connect()
    client.send(b"DELETE /bans HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
    other = await admin.connect()
    other.send(b"DELETE /bans HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")

    assert (await client.answer()).status == 413
    assert (await other.answer()).status == 413


async def test_an_answer_that_nobody_reads_holds_up_nobody_else(admin):
    greedy = await admin.connect()
    greedy.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 500)

    assert (await admin.ask("GET", "/ready")).status == 200
    greedy.reset()


# --- Where it listens


async def test_it_answers_over_a_unix_socket(idle, tmp_path):
    path = tmp_path / "admin.sock"
    await idle.serve(admin=f"unix:{path}")

    reader, writer = await asyncio.open_unix_connection(path)
    client = Client(reader, writer)
    client.send(b"GET /ready HTTP/1.0\r\n\r\n")
    assert (await client.answer()).status == 200
    client.close()
    assert path.stat().st_mode & 0o777 == 0o660
    await idle.serve(admin="")
    assert not path.exists()


async def test_the_same_address_is_kept_and_another_is_gone_over_to(admin):
    first, kept = admin.port, await admin.connect()
    await admin.serve(idle_timeout="60s")
    assert admin.port == first

    await admin.serve(admin="localhost:0")
    assert admin.port != first
    assert len(admin.lines.of("admin.ready")) == 2
    kept.send(b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await kept.answer()
    assert (answer.status, answer.value("connection")) == (200, "close")
    with pytest.raises(ConnectionRefusedError):
        await admin.connect(first)
    assert (await admin.ask("GET", "/ready")).status == 200
    assert admin.keepings == 1


async def test_one_that_is_given_up_listens_no_more(admin):
    port = admin.port
    await admin.serve(admin="")

    assert len(admin.lines.of("admin.closed")) == 1
    with pytest.raises(ConnectionRefusedError):
        await admin.connect(port)


async def test_one_that_was_only_prepared_leaves_nothing_behind(admin):
    port = admin.port
    for _ in range(3):
        settings = Settings.model_validate({"server": {"admin": "localhost:0"}, **PLAIN})
        await admin.listener.prepare(settings)
    admin.listener.forget()

    assert (await admin.ask("GET", "/ready")).status == 200
    assert admin.port == port
    with pytest.raises(RuntimeError):
        admin.listener.commit()


async def test_an_address_that_was_written_must_be_free(admin):
    with socket.create_server((HOST, 0)) as other:
        taken = f"{HOST}:{other.getsockname()[1]}"
        with pytest.raises(ConfigurationError) as refused:
            await admin.serve(admin=taken)

    assert str(refused.value).startswith(f"server.admin: {taken} is taken: another process")
    assert (await admin.ask("GET", "/ready")).status == 200


async def test_the_default_address_may_be_taken(idle):
    with socket.create_server((HOST, 0)) as other:
        taken = f"{HOST}:{other.getsockname()[1]}"
        # As it stands where nobody wrote it.
        (remark,) = await idle.listener.prepare(by_default(taken))
        idle.listener.commit()

    assert remark.path == "server.admin"
    assert "there is no admin listener: set server.admin" in remark.problem
    assert not idle.lines.of("admin.ready")


async def test_the_default_address_is_left_to_a_listener_that_wants_it(idle):
    (remark,) = await idle.listener.prepare(by_default("127.0.0.1:5000"))

    assert "127.0.0.1:5000 is the address of a listener too; there is no" in remark.problem


def by_default(address):
    """Settings in which nobody wrote where the admin listener is."""
    server = ServerSettings.model_construct(_fields_set=set(), admin=address)
    return Settings.model_validate(PLAIN).model_copy(update={"server": server})


async def test_what_is_answered_when_the_end_comes_is_answered(admin):
    client = await admin.connect()
    client.send(b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\nGET /re")
    await client.answer()
    await admin.listener.end()

    with pytest.raises(Cut):
        await client.answer()
