"""``GET /verify`` for other proxies, and tokens that may do no more than their key."""

import base64
import json

import pytest

from pyproxy.identity.signing_keys import generate_key_set
from tests.process.served import BEARER, KEY, Upstream, hashed, put, serving

NARROW = "pyp_the-key-of-carol-0123456789abcde"
SHORT = "pyp_the-key-of-dave-0123456789abcdef"
CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
[server]
trusted_proxies = [{trusted}]
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
ttl = "12h"
[rate_limits.auth]
rate = "{auth}"
burst = 1
[rate_limits.tiny]
rate = "1r/h"
burst = 1
[[routes]]
name = "llm"
path = "/llm"
provider = "copilot-api"
upstream = "{upstream}"
[[routes]]
name = "open"
path = "/open"
auth = []
upstream = "{upstream}"
[[routes]]
name = "others"
path = "/others"
users = ["bob"]
upstream = "{upstream}"
[[routes]]
name = "inside"
path = "/inside"
allow_from = ["10.0.0.0/8"]
upstream = "{upstream}"
[[routes]]
name = "few"
path = "/few"
rate_limits = ["tiny"]
upstream = "{upstream}"
[[routes]]
name = "hosted"
path = "/hosted"
hosts = ["llm.example"]
methods = ["POST"]
upstream = "{upstream}"
"""
CERTIFIED = """
[[listeners]]
bind = "127.0.0.1:0"
certificate = "tls.crt"
private_key = "tls.key"
client_ca = "ca.crt"
[server]
trusted_proxies = ["127.0.0.1"]
[auth]
keys_file = "keys.txt"
[[routes]]
name = "either"
path = "/either"
auth = ["mtls", "key"]
upstream = "{upstream}"
[[routes]]
name = "alone"
path = "/alone"
auth = ["mtls"]
upstream = "{upstream}"
"""


def config(upstream, trusted='"127.0.0.1"', auth="1000r/s"):
    return CONFIG.format(upstream=upstream.url, trusted=trusted, auth=auth)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One gateway for all tests that need nothing of their own."""
    folder, upstream = tmp_path_factory.mktemp("served"), Upstream()
    put(folder / "signing.json", json.dumps(generate_key_set("ES256")))
    put(
        folder / "keys.txt",
        hashed("alice", KEY)
        + hashed("carol", NARROW, "routes=llm limit=2r/h")
        + hashed("dave", SHORT, "expires=2999-01-01"),
    )
    with upstream, serving(folder, config(upstream)) as gateway:
        gateway.secrets += [NARROW, SHORT]
        yield gateway
        upstream.shutdown()


def verdict(gateway, uri="", key=KEY, **fields):
    """What another proxy is told: status, the user, the code of a refusal."""
    said = {"X-Forwarded-Uri": uri} if uri else {}
    said |= {name.replace("_", "-"): value for name, value in fields.items()}
    said |= {"Authorization": f"Bearer {key}"} if key else {}
    status, answer, body = gateway.ask("/verify", headers=said)
    return status, answer.get("X-Auth-User"), json.loads(body).get("error")


def test_a_trusted_proxy_is_told_what_the_route_would_say(served):
    assert verdict(served, "/llm/v1/models?x=1") == (200, "alice", None)
    assert verdict(served, "/llm/v1", key="") == (401, None, "missing_token")
    assert verdict(served, "/llm/v1", key="pyp_wrong") == (401, None, "invalid_token")
    assert verdict(served, "/llm/token") == (403, None, "path_denied")
    assert verdict(served, "/open", key="") == (200, "", None)
    assert verdict(served, "/others/x") == (403, None, "user_not_allowed")
    assert verdict(served, "/inside/x", X_Forwarded_For="192.0.2.1")[2] == "ip_not_allowed"
    assert verdict(served, "/inside/x", X_Forwarded_For="10.1.2.3") == (200, "alice", None)
    assert verdict(served, "/nowhere") == (404, None, "not_found")
    assert verdict(served, "/llm/../open", key="") == (400, None, "bad_request")
    assert verdict(served, f"/llm?key={KEY}", key="") == (200, "alice", None)


def test_method_and_host_are_those_asked_about(served):
    host = {"X_Forwarded_Host": "llm.example"}

    assert verdict(served, "/hosted", X_Forwarded_Method="POST", **host)[0] == 200
    assert verdict(served, "/hosted", X_Forwarded_Method="GET", **host)[0] == 405
    assert verdict(served, "/hosted", X_Forwarded_Method="POST")[0] == 404
    assert verdict(served, "/hosted", X_Forwarded_Host="a/b")[0] == 400


def test_limits_count_what_is_asked_about(served):
    assert [verdict(served, "/few")[0] for _ in range(3)] == [200, 200, 429]
    assert served.status(path="/few") == 429


def test_nginx_asks_with_its_own_field(served):
    assert verdict(served, X_Original_URI="/others/x")[0] == 403
    assert verdict(served, X_Original_URI="/llm/x") == (200, "alice", None)
    assert verdict(served, "/llm", X_Original_URI="/llm") == (200, "alice", None)


def test_a_clients_field_beside_the_proxys_is_refused(served):
    assert verdict(served, "/open", key="", X_Original_URI="/llm")[0] == 400


def test_without_a_uri_the_credential_alone_is_asked_about(served):
    assert verdict(served) == (200, "alice", None)
    assert verdict(served, key="") == (401, None, "missing_token")


def test_a_peer_that_is_not_trusted_does_not_choose_the_route(folder, upstream):
    put(folder / "signing.json", json.dumps(generate_key_set("ES256")))
    with serving(folder, config(upstream, trusted="")) as gateway:
        assert verdict(gateway, "/open", key="") == (401, None, "missing_token")
        assert verdict(gateway, "/others") == (200, "alice", None)


def test_the_proxys_own_certificate_lets_nobody_in(folder, upstream, certify, authority):
    trust = certify(folder)
    authority.cert_pem.write_to_path(folder / "ca.crt")
    authority.issue_cert(common_name="other-proxy").configure_cert(trust)
    with serving(folder, CERTIFIED.format(upstream=upstream.url), trust) as gateway:
        assert gateway.ask("/alone", headers={})[0] == 200  # directly it is let in
        assert verdict(gateway, "/alone", key="") == (401, None, "missing_token")
        assert verdict(gateway, "/either", key="") == (401, None, "missing_token")
        assert verdict(gateway, "/either") == (200, "alice", None)


def test_a_credential_that_cannot_be_one_is_a_failed_authentication(folder, upstream):
    put(folder / "signing.json", json.dumps(generate_key_set("ES256")))
    with serving(folder, config(upstream, auth="1r/h")) as gateway:
        basic = {"Authorization": "Basic YWxpY2U6c2VjcmV0"}

        assert [gateway.ask("/llm", headers=basic)[0] for _ in range(3)] == [401, 401, 429]
        assert gateway.ask("/verify", headers=basic)[0] == 429
        assert gateway.ask("/llm", headers=BEARER)[0] == 200


def exchanged(gateway, key):
    status, _, body = gateway.ask("/token", "POST", {"Authorization": f"Bearer {key}"})
    assert status == 200
    answer = json.loads(body)
    gateway.secrets.append(answer["token"])
    payload = answer["token"].split(".")[1]
    return answer, json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_a_token_may_do_no_more_than_its_key(served):
    answer, claims = exchanged(served, NARROW)

    assert (claims["routes"], claims["limit"]) == (["llm"], "2r/h")
    assert served.status(answer["token"], "/open") == 200  # open to everybody
    assert served.status(answer["token"], "/few") == 403
    assert [served.status(answer["token"], "/llm") for _ in range(2)] == [200, 200]
    assert served.status(answer["token"], "/llm") == 429
    assert served.status(NARROW, "/llm") == 429  # one bucket, however its holder comes


def test_a_token_of_an_unbounded_key_is_unbounded(served):
    answer, claims = exchanged(served, SHORT)

    assert not {"routes", "limit"} & claims.keys()
    assert answer["expires_in"] == 12 * 3600
    assert served.status(answer["token"], "/llm") == 200
