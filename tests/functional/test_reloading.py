"""Changed files come into force by themselves, and a faulty one changes nothing."""

import asyncio
import hashlib
import json
import tempfile
import time
from pathlib import Path

import pytest
import trustme

from pyproxy.assembly.build import draft
from pyproxy.assembly.resources import Resources
from pyproxy.config.load import load
from pyproxy.gateway.desk import Desk
from pyproxy.identity.credential import Credential
from pyproxy.identity.hashing import BcryptGate
from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.reloading import Reloading
from pyproxy.runtime.startup import prepare
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.log import Log

KEY = "a-plain-key-of-somebody"
WALL = 1_750_000_000.0
WEAK = {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}
CONFIG = """
[[listeners]]
bind = "127.0.0.1:1"
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
[[routes]]
name = "one"
upstream = "https://a"
tls = { ca = "ca.crt" }
credential = { header = "X-Key", value = { file = "provider.key" } }
"""


class Lines:
    """What is written; stands where ``Journal`` stands."""

    def __init__(self):
        self.lines = []
        self.failures = []
        self.wall = time.time
        self.log = Log(self._put, time.time)
        self.audit = AuditLog(self._put)

    def _put(self, text):
        self.lines.append(json.loads(text))

    def report(self, name, error):
        self.failures.append((name, error))

    def events(self):
        """Event, result and, of a failure, why; as the log has them."""
        logged = [line for line in self.lines if "level" in line]
        return [(line["event"], line.get("result", "")) for line in logged]

    def words(self):
        return "\n".join(line.get("message", "") for line in self.lines)


class Running:
    """A gateway without its sockets, and the watcher of its files."""

    def __init__(self, folder, resources, environ=None):
        self.lines = Lines()
        loaded = load(folder / "pyproxy.toml", environ or {}, folder)
        prepared = prepare(loaded, WALL)
        ready = draft(loaded.settings, prepared.groups, resources, prepared.sources)
        self.resources = resources
        self.desk = Desk(
            gateway=ready.put_in_force(resources),
            loop=resources.loop,
            now=time.monotonic,
            wall=time.time,
            new_id=lambda: "id",
            audit=self.lines.audit,
            access=None,
            report=lambda _exc, _id: None,
        )
        self.reloading = Reloading(self.desk, loaded, prepared, resources, self.lines, Blocking())

    @property
    def gateway(self):
        return self.desk.gateway

    def injected(self):
        """The provider's credential, as it would go upstream."""
        plan = self.gateway.tables["127.0.0.1:1"].match(b"", b"/", b"GET").value
        return repr(plan.up)

    async def look(self):
        """Look at the files once, as the watcher does every second."""
        await self.reloading.poll_now()
        assert self.lines.failures == []
        written = json.dumps(self.lines.lines)
        assert not [secret for secret in (KEY, "first-secret") if secret in written]


@pytest.fixture
def folder():
    """One that every user may enter, so that exposed files count as exposed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        put(folder, "pyproxy.toml", CONFIG)
        put(folder, "keys.txt", keys(KEY))
        put(folder, "signing.json", json.dumps(generate_key_set("ES256")))
        put(folder, "provider.key", "first-secret")
        put(folder, "ca.crt", trustme.CA().cert_pem.bytes())
        yield folder


def put(folder, name, content):
    fresh = folder / f"{name}.new"
    fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
    fresh.chmod(0o600)
    fresh.replace(folder / name)


def keys(key):
    return f"alice:sha256:{hashlib.sha256(key.encode()).hexdigest()}\n"


def known(gateway, key):
    credential = Credential(key, frozenset({"authorization"}), is_jwt=False)
    return gateway.authenticator.recall(credential, WALL) is not None


@pytest.fixture
async def resources():
    made = Resources(asyncio.get_running_loop(), b"s" * 32, BcryptGate())
    yield made
    await made.close()


@pytest.fixture
def running(folder, resources):
    return Running(folder, resources)


async def test_files_that_stay_the_same_are_not_told_of(running):
    gateway = running.gateway

    for _ in range(3):
        await running.look()

    assert running.gateway is gateway
    assert running.lines.lines == []


async def test_a_change_between_reading_and_watching_is_seen(running, folder):
    put(folder, "keys.txt", keys("another-key-of-somebody"))

    await running.look()

    assert known(running.gateway, "another-key-of-somebody")


async def test_key_sets_replace_no_more_than_they_must(running, folder):
    before = running.gateway
    put(folder, "signing.json", json.dumps(generate_key_set("EdDSA")))

    await running.look()

    after = running.gateway
    assert after.minter is not before.minter
    assert after.jwks != before.jwks
    assert after.authenticator is before.authenticator
    assert after.tables is before.tables
    assert running.resources.key_sets.current.keys == after.minter.public.keys
    assert running.lines.events() == [("jwks.reloaded", "ok")]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        pytest.param("keys.txt", "a b c\n", "keys", id="keys"),
        pytest.param("signing.json", '{"keys": [', "key_sets", id="half a key set"),
        pytest.param("signing.json", '{"keys": []}', "key_sets", id="no signing key"),
        pytest.param("ca.crt", "", "upstream_certificates", id="an upstream's authority"),
    ],
)
async def test_a_faulty_file_changes_nothing_and_is_told(running, folder, name, content, kind):
    await running.look()
    before, key_sets = running.gateway, running.resources.key_sets.current
    sound = (folder / name).read_bytes()
    assert running.reloading.refused == set()
    put(folder, name, content)

    await running.look()

    assert running.gateway is before
    assert running.resources.key_sets.current is key_sets
    assert known(running.gateway, KEY)
    [(_, result)] = running.lines.events()
    assert result == "failed"
    audited = [line for line in running.lines.lines if "details" in line]
    assert [line["result"] for line in audited] == ["failed"]
    assert name in audited[0]["details"]["reason"] or "routes[0]" in audited[0]["details"]["reason"]
    assert "in force: " in running.lines.words()
    assert audited[0]["details"]["reason"] in running.lines.words()
    assert "second" not in running.lines.words()
    assert running.reloading.refused == {kind}
    put(folder, name, sound)
    await running.look()
    assert running.reloading.refused == set()


async def test_a_file_that_vanished_changes_nothing(running, folder):
    for name in ("keys.txt", "signing.json", "ca.crt"):
        (folder / name).unlink()

    await running.look()

    assert known(running.gateway, KEY)
    assert {result for _, result in running.lines.events()} == {"failed"}


async def test_an_upstreams_authority_is_taken(running, folder):
    [before] = running.resources.endpoints.values()
    put(folder, "ca.crt", trustme.CA().cert_pem.bytes())

    await running.look()

    [after] = running.resources.endpoints.values()
    assert after.address.tls is not before.address.tls
    assert running.lines.events() == [("config.reloaded", "ok")]


async def test_keys_that_are_left_out_are_told(running, folder):
    document = generate_key_set("ES256")
    put(folder, "signing.json", json.dumps({"keys": [*document["keys"], WEAK]}))

    await running.look()

    [audited] = [line for line in running.lines.lines if "details" in line]
    assert audited["details"]["refused"] == 1
    assert "key weak: " in audited["details"]["faults"]


async def test_a_set_of_bad_keys_alone_is_faulty_and_an_empty_one_trusts_nobody(folder, resources):
    put(folder, "jwks.json", json.dumps(generate_key_set("ES256")))
    running = Running(folder, resources)
    before = resources.key_sets.current
    put(folder, "jwks.json", json.dumps({"keys": [WEAK]}))
    await running.look()
    assert resources.key_sets.current is before

    put(folder, "jwks.json", '{"keys": []}')
    await running.look()

    assert resources.key_sets.current.keys == running.gateway.minter.public.keys


async def test_a_file_that_others_may_read_now_is_a_remark(running, folder):
    (folder / "signing.json").chmod(0o644)

    await running.look()

    assert set(running.lines.events()) == {("jwks.reloaded", "ok"), ("configuration.remark", "")}
    assert len(running.lines.events()) == 2
    assert "signing.json: may be opened by every user" in running.lines.words()
    assert "the next start will refuse it" in running.lines.words()


@pytest.mark.parametrize(
    ("name", "is_refused"),
    [
        pytest.param("signing.json", True, id="a secret that did not change"),
        pytest.param("keys.txt", False, id="hashes, which a start remarks on"),
    ],
)
async def test_a_file_that_others_may_read_now_is_told_once(running, folder, name, is_refused):
    await running.look()
    (folder / name).chmod(0o644)
    for _ in range(3):
        await running.look()
    put(folder, "keys.txt", keys("another-key-of-somebody"))
    (folder / name).chmod(0o644)
    await running.look()

    [remark] = [line for line in running.lines.lines if line["event"] == "configuration.remark"]
    assert remark["message"].count(f"{name}: may be opened by every user") == 1
    assert ("the next start will refuse it" in remark["message"]) == is_refused


async def test_a_file_that_was_open_at_the_start_is_not_told_again(folder, resources):
    (folder / "keys.txt").chmod(0o644)
    running = Running(folder, resources)
    (folder / "keys.txt").write_text(keys("another-key-of-somebody"))

    await running.look()

    assert running.lines.events() == [("key.reloaded", "ok")]


async def test_a_file_that_was_closed_and_opened_again_is_told_again(running, folder):
    for mode in (0o644, 0o600, 0o644):
        (folder / "signing.json").chmod(mode)
        await running.look()

    assert running.lines.events().count(("configuration.remark", "")) == 2


async def test_the_last_key_taken_away_is_a_warning(running, folder):
    put(folder, "keys.txt", "")

    await running.look()

    [logged] = [line for line in running.lines.lines if "level" in line]
    assert (logged["event"], logged["result"], logged["level"]) == ("key.reloaded", "ok", "warning")
    assert logged["message"] == "no key is in force"
    assert not known(running.gateway, KEY)
