"""Files that change while the gateway serves."""

import json
import os

import pytest

from pyproxy.identity.signing_keys import generate_key_set, rotate
from tests.process.served import KEY, hashed, put, serving

OTHER = "pyp_the-key-of-bob-0123456789abcdef01"
FIRST, SECOND = "first-secret-of-a-provider", "second-secret-of-a-provider"
PLAIN = """
[[listeners]]
bind = "127.0.0.1:0"
"""
TLS = PLAIN + 'certificate = "tls.crt"\nprivate_key = "tls.key"\n'


def config(upstream, listener=PLAIN, auth="", route="", jwt=""):
    return f"""{listener}
[auth]
keys_file = "keys.txt"
{auth}
[auth.jwt]
{jwt}
[rate_limits.auth]
rate = "1000r/s"
burst = 1000
[server.log]
audit = "stdout"
[[routes]]
name = "all"
upstream = "{upstream.url}"
{route}
"""


def test_keys_change_while_the_gateway_serves(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        assert (gateway.status(), gateway.status(OTHER)) == (200, 401)

        put(folder / "keys.txt", hashed("bob", OTHER))
        gateway.wait_for("key.reloaded", 2, result="ok")  # in the log and in the audit log
        assert (gateway.status(), gateway.status(OTHER)) == (401, 200)

        put(folder / "keys.txt", "rubbish with spaces\n")
        line = gateway.wait_for("key.reloaded", result="failed", level="error")
        assert line["message"].startswith("the old keys stay in force: ")
        assert "keys.txt:1" in line["message"]
        assert (gateway.status(), gateway.status(OTHER)) == (401, 200)

        (folder / "keys.txt").unlink()
        line = gateway.wait_for("key.reloaded", 2, result="failed", level="error")
        assert "no such file" in line["message"]
        assert gateway.status(OTHER) == 200

        put(folder / "keys.txt", hashed("alice", KEY))
        gateway.wait_for("key.reloaded", 4, result="ok")
        assert (gateway.status(), gateway.status(OTHER)) == (200, 401)


def test_a_renewed_certificate_reaches_the_next_handshake_alone(folder, upstream, certify):
    with serving(folder, config(upstream, TLS), certify(folder)) as gateway:
        kept = gateway.connect()
        shown = kept.sock.getpeercert(binary_form=True)

        half = (folder / "tls.crt").read_bytes()[:300]
        put(folder / "tls.crt", half)
        line = gateway.wait_for("config.reloaded", result="failed", level="error")
        assert line["message"].startswith("the old certificate stays in force: ")
        assert "tls.crt: ends in the middle of a certificate" in line["message"]
        during = gateway.connect()
        assert during.sock.getpeercert(binary_form=True) == shown
        during.close()

        certify(folder)
        gateway.wait_for("config.reloaded", result="ok", level="info", what="certificate")
        fresh = gateway.connect()
        assert fresh.sock.getpeercert(binary_form=True) != shown
        fresh.close()
        kept.request("GET", "/health")
        assert kept.getresponse().status == 200
        kept.close()


def test_a_rotated_signing_key_signs_and_the_old_one_verifies(folder, upstream):
    first = generate_key_set("ES256")
    put(folder / "signing.json", json.dumps(first))
    with serving(folder, config(upstream, jwt='signing_keys_file = "signing.json"')) as gateway:
        old = gateway.token()
        assert gateway.status(old) == 200

        put(folder / "signing.json", json.dumps(rotate(first, "EdDSA")))
        gateway.wait_for("jwks.reloaded", 2, result="ok")
        new = gateway.token()
        assert len(json.loads(gateway.ask("/.well-known/jwks.json")[2])["keys"]) == 2
        assert (gateway.status(old), gateway.status(new)) == (200, 200)

        put(folder / "signing.json", '{"keys": [')
        gateway.wait_for("jwks.reloaded", result="failed", level="error")
        assert (gateway.status(new), gateway.status(gateway.token())) == (200, 200)

        put(folder / "signing.json", json.dumps(generate_key_set("ES256")))
        gateway.wait_for("jwks.reloaded", 4, result="ok")
        assert (gateway.status(old), gateway.status(new)) == (401, 401)


def test_a_rotated_key_set_verifies_and_its_bad_keys_are_told(folder, upstream):
    ours, theirs = generate_key_set("ES256"), generate_key_set("ES256")
    bad = {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}
    put(folder / "jwks.json", json.dumps(ours))
    jwt = 'jwks_file = "jwks.json"'
    with serving(folder, config(upstream, jwt=jwt)) as gateway:
        token = gateway.token()

        put(folder / "jwks.json", json.dumps({"keys": [*theirs["keys"], bad]}))
        gateway.wait_for("jwks.reloaded", 2, result="ok")
        [audited] = [line for line in gateway.said("jwks.reloaded") if "details" in line]
        assert "key weak" in audited["details"]["faults"]
        assert gateway.status(token) == 401
        good = gateway.token()

        put(folder / "jwks.json", json.dumps({"keys": [bad]}))
        gateway.wait_for("jwks.reloaded", result="failed", level="error")
        assert gateway.status(good) == 200


@pytest.mark.parametrize(
    ("route", "variable"),
    [
        pytest.param(
            'credential = { header = "X-Api-Key", value = { file = "provider.key" } }',
            "",
            id="credential",
        ),
        pytest.param(
            'provider = "anthropic"\ncredential = { value = { file = "provider.key" } }',
            "",
            id="value alone",
        ),
        pytest.param('provider = "anthropic"', "ANTHROPIC_API_KEY_FILE", id="provider's variable"),
        pytest.param('auth = ["token"]', "PROXY_SECRET_FILE", id="shared secret"),
    ],
)
def test_a_rotated_secret_is_what_goes_upstream(folder, upstream, route, variable):
    put(folder / "provider.key", f"{FIRST}\n")
    environ = {variable: str(folder / "provider.key")} if variable else {}

    def works(secret):
        if variable == "PROXY_SECRET_FILE":
            return gateway.ask(headers={"X-Proxy-Token": secret})[0] == 200
        return json.loads(gateway.ask()[2]).get("x-api-key") == secret

    with serving(folder, config(upstream, route=route), environ=environ) as gateway:
        gateway.secrets += [FIRST, SECOND]
        assert works(FIRST)

        for count, rubbish in enumerate(("", " ", "a\nb"), 1):
            put(folder / "provider.key", rubbish)
            gateway.wait_for("config.reloaded", count, result="failed", level="error")
            assert works(FIRST)

        put(folder / "provider.key", f"{SECOND}\n")
        gateway.wait_for("config.reloaded", result="ok", level="info", what="secrets")
        assert works(SECOND)
        assert not works(FIRST)


def test_a_bad_pair_of_two_listeners_is_said_once(folder, upstream, certify):
    trust = certify(folder)
    good = (folder / "tls.crt").read_bytes()
    second = TLS.replace("127.0.0.1", "127.0.0.2")
    with serving(folder, config(upstream, TLS + second), trust) as gateway:
        put(folder / "tls.crt", "rubbish")
        gateway.wait_for("config.reloaded", result="failed", level="error")
        put(folder / "tls.crt", good)
        gateway.wait_for("config.reloaded", result="ok", level="info")
        gateway.stop()

    assert len(gateway.said("config.reloaded", result="failed", level="error")) == 1
    assert len(gateway.said("config.reloaded", result="ok", level="info")) == 1


def test_a_named_pipe_in_place_of_a_file_stops_neither_the_others_nor_the_end(
    folder, upstream, certify
):
    trust = certify(folder)
    with serving(folder, config(upstream, TLS), trust) as gateway:
        (folder / "tls.crt").unlink()
        os.mkfifo(folder / "tls.crt", 0o600)
        gateway.wait_for("config.reloaded", result="failed", level="error")

        put(folder / "keys.txt", hashed("bob", OTHER))
        gateway.wait_for("key.reloaded", result="ok", level="info")
        assert gateway.status(OTHER) == 200

        assert gateway.stop() == 0
