"""A configuration is read again in the process that serves it: what changes, and what is said."""

import asyncio
import json
import socket
import time
from contextlib import asynccontextmanager
from functools import partial

import pytest

from pyproxy.config.load import load
from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.runtime.startup import prepare
from pyproxy.runtime.supervisor import SECRETS, SETTINGS, Supervisor
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.log import Log
from tests.functional.scripted import HOST, KEY, PATIENCE_S, Client, hashed

FIRST = "first-secret"
CONFIG = """
[server]
admin = ""
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys_file = "keys"
[rate_limits.api]
rate = "1000r/s"
burst = 1000
[[routes]]
name = "one"
upstream = "{upstream}"
credential = {{ header = "X-Key", value = {{ file = "provider.key" }} }}
"""


class Journal:
    """What is written, kept; stands where ``runtime.Journal`` stands."""

    lost_total = 0

    def __init__(self):
        self.lines = []
        self._news = asyncio.Event()
        self.wall = time.time
        self.log = Log(self._put, time.time)
        self.audit = AuditLog(self._put)
        self.access = None

    def _put(self, text):
        self.lines.append(json.loads(text))
        self._news.set()

    def report(self, name, error):
        raise AssertionError(name) from error

    def prepare(self, settings):
        """Nothing to open."""

    commit = forget = close = lambda *_: None

    def of(self, event, **values):
        wanted = {"event": event, **values}
        return [line for line in self.lines if wanted.items() <= line.items() and "level" in line]

    async def next(self, event, count=1, **values):
        async with asyncio.timeout(PATIENCE_S):
            while len(found := self.of(event, **values)) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]


@asynccontextmanager
async def supervising(folder, environ):
    """A supervisor with one worker; gives it, its journal and the port."""
    read = partial(load, folder / "pyproxy.toml", environ, folder)
    loaded, journal = read(), Journal()
    supervisor = Supervisor(loaded, journal, read, 1 << 20)
    running = asyncio.ensure_future(supervisor.run(prepare(loaded, time.time())))
    try:
        ready = await journal.next("listener.ready")
        yield supervisor, journal, int(ready["port"])
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture
def put(tmp_path):
    def put_(name, content, mode=0o600):
        fresh = tmp_path / f"{name}.new"
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
        fresh.chmod(mode)
        fresh.replace(tmp_path / name)

    return put_


@pytest.fixture
def environ():
    return {}


@pytest.fixture
async def serving(tmp_path, put, willing, environ):
    put("pyproxy.toml", CONFIG.format(upstream=willing.url))
    put("keys", hashed("alice", KEY))
    put("provider.key", f"{FIRST}\n")
    async with supervising(tmp_path, environ) as served:
        yield served
    written = json.dumps(served[1].lines)
    assert not [secret for secret in (KEY, FIRST) if secret in written]


async def answer(port, path="/"):
    """The answer to a request over a new connection."""
    client = Client(*await asyncio.open_connection(HOST, port))
    try:
        return await client.ask("GET", path)
    finally:
        client.close()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("provider.key", "", id="an empty secret"),
        pytest.param("provider.key", b"\xff", id="a secret that is no text"),
        pytest.param("provider.key", "a\nb", id="a secret of two lines"),
        pytest.param("pyproxy.toml", "[", id="half a configuration"),
    ],
)
@pytest.mark.parametrize("what", [SECRETS, SETTINGS])
async def test_a_faulty_file_changes_nothing_and_is_told(serving, put, name, content, what):
    supervisor, journal, port = serving
    put(name, content)

    supervisor.ask(what)
    line = await journal.next("config.reloaded", result="failed")

    assert line["what"] == what
    assert line["message"].startswith("the old ")
    assert "stay" in line["message"].partition(" in force: ")[0]
    assert (await answer(port)).status == 200
    assert journal.of("config.reloaded", result="ok") == []


@pytest.mark.usefixtures("serving")
async def test_a_reload_under_way_is_no_reason_to_go_on_when_told_to_end(tmp_path):
    for _ in range(20):
        async with supervising(tmp_path, {}) as (supervisor, journal, _):
            supervisor.ask(SETTINGS)
            await journal.next("config.reloaded", result="ok")
            supervisor.ask(SETTINGS)


async def test_listener_that_cannot_be_opened_leaves_no_other_open(serving, tmp_path, put):
    supervisor, journal, port = serving
    with socket.create_server((HOST, 0)) as taken, socket.create_server((HOST, 0)) as free:
        ports = [each.getsockname()[1] for each in (free, taken)]
        free.close()
        more = "".join(f'[[listeners]]\nbind = "{HOST}:{each}"\n' for each in ports)
        text = (tmp_path / "pyproxy.toml").read_text()
        put("pyproxy.toml", text.replace("[auth]", f"{more}[auth]"))
        supervisor.ask(SETTINGS)
        failed = await journal.next("config.reloaded", result="failed")

    assert f"{HOST}:{ports[1]}" in failed["message"]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, ports[0])
    assert (await answer(port)).status == 200


async def test_the_same_text_again_is_not_told(serving):
    supervisor, journal, _ = serving

    supervisor.ask(SECRETS)
    supervisor.ask(SETTINGS)
    await journal.next("config.reloaded", result="ok", what=SETTINGS)

    assert len(journal.of("config.reloaded")) == 1


async def test_a_secret_that_changed_is_what_goes_upstream(serving, put, willing):
    supervisor, journal, port = serving
    put("provider.key", "second-secret")

    supervisor.ask(SECRETS)
    await journal.next("config.reloaded", result="ok", what=SECRETS)
    assert (await answer(port)).status == 200

    assert b"second-secret" in willing.received
    assert b"first-secret" not in willing.received


async def test_a_key_set_that_appears_is_used(serving, put):
    supervisor, journal, _ = serving
    keys = generate_key_set("ES256")
    put("jwks.json", json.dumps(keys))

    supervisor.ask(SECRETS)
    await journal.next("config.reloaded", result="ok")

    worker = supervisor._crew.local
    assert {key.kid for key in worker.resources.key_sets.current.keys} == {keys["keys"][0]["kid"]}


@pytest.mark.parametrize("environ", [{"RATE_LIMIT_API_BURST_FILE": "burst"}])
async def test_a_value_of_the_environments_file_is_taken(tmp_path, put, willing, environ):
    put("pyproxy.toml", CONFIG.format(upstream=willing.url).replace("burst = 1000", ""))
    put("keys", hashed("alice", KEY))
    put("provider.key", "secret")
    put("burst", "1")
    async with supervising(tmp_path, environ) as (supervisor, journal, port):
        put("burst", "70")
        supervisor.ask(SECRETS)
        await journal.next("config.reloaded", result="ok", what=SECRETS)

        assert [(await answer(port)).status for _ in range(5)] == [200] * 5


async def test_another_source_of_keys_takes_the_place_of_the_old_one(serving, tmp_path, put):
    supervisor, journal, _ = serving
    text = (tmp_path / "pyproxy.toml").read_text()
    for count, port in ((1, 1), (2, 2)):
        url = f"https://127.0.0.1:{port}/jwks"
        put("pyproxy.toml", f'{text}\n[auth.jwt]\njwks_url = "{url}"\nissuer = "us"\n')
        supervisor.ask(SETTINGS)
        await journal.next("config.reloaded", count, result="ok")
        told = await journal.next("jwks.reloaded", count, result="failed")

        assert told["source"] == url
