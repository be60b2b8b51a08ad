import asyncio
import subprocess
import sys
import time

import pytest
import trustme

from pyproxy.assembly import shared as sharing
from pyproxy.assembly.extras import remedy
from pyproxy.assembly.resources import Resources
from pyproxy.assembly.shared import reach_store, share, store_faults
from pyproxy.config.store import StoreSettings
from pyproxy.errors.fault import Fault
from pyproxy.identity.hashing import BcryptGate
from pyproxy.runtime.zone import Zone


@pytest.fixture
async def resources():
    made = Resources(asyncio.get_running_loop(), b"k" * 32, BcryptGate())
    yield made
    await made.close()


def made_of(settings, resources, before=None):
    def hear(*_):
        """Nobody listens."""

    return share(settings, resources, time.monotonic, time.time, hear, hear, before)


async def test_memory_shares_nothing(resources):
    assert made_of(StoreSettings(), resources) is None


async def test_redis_has_lists_of_its_own_over_the_machines(resources):
    settings = StoreSettings(url="redis://h")
    shared = made_of(settings, resources)

    assert shared.settings is settings
    assert shared.store.kind == "redis"
    shared.revocations.revoke("one", 1e12, 0.0)
    assert resources.revocations.is_revoked("one")
    shared.bans.ban("192.0.2.1", 60.0, time.monotonic())
    assert resources.bans.left_s("192.0.2.1", time.monotonic()) > 0.0


async def test_another_store_gets_the_revoked_tokens_of_the_one_before(resources):
    # Of a zone's list, which several workers share, nothing but digests can be read.
    zone = Zone.create()
    resources.revocations = zone.revocations
    first = made_of(StoreSettings(url="redis://h"), resources)
    first.revocations.revoke("one", 2e9, 1e9)
    second = made_of(StoreSettings(url="redis://i"), resources, first)

    assert [kept_id for kept_id, _ in second.revocations.roll.entries()] == ["one"]
    zone.close()


def test_memory_and_plain_redis_have_no_faults():
    assert store_faults(StoreSettings()) == ()
    assert store_faults(StoreSettings(url="redis://h", ca="/nowhere")) == ()


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setattr(sharing, "find_spec", lambda _: None)

    assert store_faults(StoreSettings(url="redis://h")) == (
        Fault("store.url", f"needs {remedy('redis')}"),
    )
    assert store_faults(StoreSettings()) == ()


def test_tls_files_are_looked_into(tmp_path):
    authority = trustme.CA()
    ca, own, junk = tmp_path / "ca.pem", tmp_path / "own.pem", tmp_path / "junk.pem"
    authority.cert_pem.write_to_path(str(ca))
    authority.issue_cert("h").private_key_and_cert_chain_pem.write_to_path(str(own))
    junk.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")

    def faults(**files):
        names = {name: str(path) for name, path in files.items()}
        return [str(fault) for fault in store_faults(StoreSettings(url="rediss://h", **names))]

    assert faults() == faults(ca=ca) == []
    assert faults(ca=ca, certificate=own, private_key=own) == []
    assert faults(ca=junk) == [f"store.ca: {junk} cannot be used: holds no usable PEM"]
    (missing,) = faults(ca=tmp_path / "none")
    assert missing.endswith("none cannot be used: No such file or directory")
    (wrong,) = faults(certificate=ca, private_key=own)
    assert wrong.startswith(f"store.certificate: {ca} cannot be used")


def test_a_store_that_is_not_there_is_said_so():
    settings = StoreSettings(url="redis://:hunter2@127.0.0.1:1")

    assert reach_store(settings, 2.0).startswith("no connection: ")


def test_the_client_is_not_loaded_before_somebody_wants_it():
    look = "import sys, pyproxy.runtime.worker; sys.exit('redis' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
