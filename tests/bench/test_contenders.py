import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.contenders import pyproxy
from bench.contenders.contender import Setting, faults_of
from bench.credentials import HASHED_KEY, PLAIN_KEY
from bench.load import Load
from bench.origin import GUARDED
from bench.stage import Stage

pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("taskset", "openssl", "curl")),
    reason="the benchmark's programs are not installed",
)


@pytest.fixture(scope="module")
def setting():
    with Stage() as stage:
        yield Setting.make(stage, Path("no-peers"))


@pytest.fixture(scope="module")
def gateway(setting):
    return pyproxy.start(setting, Path(sys.prefix) / "bin" / "pyproxy")


def test_the_gateway_that_is_measured_lets_in_whom_it_must_and_nobody_else(setting, gateway):
    assert set(gateway.accepts) == {"key", "jwt", "bcrypt", "sdk"}
    assert faults_of(gateway, setting.credentials.certificate) == []


def test_the_providers_route_shows_the_origin_its_key(setting):
    provider = pyproxy.start_provider(setting, Path(sys.prefix) / "bin" / "pyproxy")

    assert set(provider.accepts) == {"sdk"}
    assert faults_of(provider, setting.credentials.certificate) == []


def test_what_does_not_show_it_is_at_fault(setting, gateway):
    unguarded = replace(gateway, path=f"{GUARDED}/v1/chat/completions")

    assert "pyproxy answers 401 to key, not 200" in faults_of(
        unguarded, setting.credentials.certificate
    )


def test_bodies_arrive_whole_both_ways(setting, gateway):
    load = Load(setting.stage, setting.credentials)

    for figures in (load.download(gateway, PLAIN_KEY, 3), load.upload(gateway, PLAIN_KEY, 3)):
        assert figures["failed"] == 0
        assert figures["mb_per_s"] > 0


def test_events_arrive_whole(setting, gateway):
    load = Load(setting.stage, setting.credentials)

    assert load.streams(gateway, HASHED_KEY, 3, 4, 1)["failed"] == 0


def test_what_is_refused_has_failed(setting, gateway):
    load = Load(setting.stage, setting.credentials)

    assert load.upload(gateway, "sk-wrong-0123456789", 3)["failed"] == 1
    assert load.download(gateway, "sk-wrong-0123456789", 3)["failed"] == 1
    assert load.streams(gateway, "sk-wrong-0123456789", 1, 4, 1)["failed"] > 0
