"""A gateway whose tokens are those of a key server that comes late, rotates, or misbehaves."""

import pytest

from tests.endurance import jwks
from tests.endurance.stage import Folder, config
from tests.process.served import Upstream, serving

TENTH = 10


@pytest.fixture
def stage(tmp_path):
    return Folder(tmp_path)


@pytest.mark.parametrize("kind", ["sound", "silent", "endless"])
def test_made_up_key_names_cost_two_fetches_and_nobody_a_second(stage, kind):
    figures = list(jwks.measure(stage, TENTH, (kind,)))

    # What a good token waits is for a machine that does nothing else: `figures.py jwks`.
    assert [str(each) for each in figures if not each.is_kept and "p99" not in each.what] == []


def test_a_key_server_that_comes_late_and_rotates(stage):
    first = jwks.new_key(stage)
    with jwks.KeyServer(stage.path) as server, Upstream() as upstream:
        server.kind = "down"
        text = jwks.with_key_server(config({"/": upstream.url}), server.port)
        with serving(stage.path, text, stage.trust, jwks.trusting(stage)) as gateway:
            told = gateway.wait_for("jwks.reloaded", level="error")
            assert "no token" in told["message"]
            assert gateway.status() == 200  # who has an API key needs no key server

            server.kind = "sound"
            gateway.wait_for("jwks.reloaded", level="info", result="ok")
            old = jwks.good_token(first)
            assert gateway.status(old) == 200

            second = jwks.new_key(stage)
            new = jwks.good_token(second)
            assert gateway.status(new) == 200  # the unknown name brings the fetch it waits for
            assert gateway.status(old) == 401

            server.kind = "down"
            assert gateway.status(new) == 200
        upstream.released.set()
