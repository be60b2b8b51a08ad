"""All secrets at once, in files replaced under load: no request fails, the new ones rule."""

import json
import time

import pytest

from pyproxy.identity.jwk_members import without_private
from pyproxy.identity.signing_keys import generate_key_set, rotate
from tests.process.crowd import Crowd, wait_until
from tests.process.served import KEY, hashed, put, serving

NAMES = (
    "keys.txt",
    "signing.json",
    "jwks.json",
    "provider.key",
    "shared.key",
    "tls.crt",
    "tls.key",
)
GONE, FRESH = "pyp_key-of-before-0123456789abcdef", "pyp_key-of-after-0123456789abcdef"
CONFIG = """
[server]
admin = ""
workers = {workers}
[[listeners]]
bind = "127.0.0.1:0"
certificate = "secrets/tls.crt"
private_key = "secrets/tls.key"
[auth]
keys_file = "secrets/keys.txt"
[auth.jwt]
signing_keys_file = "secrets/signing.json"
jwks_file = "secrets/jwks.json"
issuer = "us"
audience = "them"
[auth.ban]
after = 0
[rate_limits.auth]
rate = "10000r/s"
burst = 10000
[rate_limits.api]
rate = "100000r/s"
burst = 100000
[server.log]
audit = "stdout"
[[routes]]
name = "all"
upstream = "{upstream}"
credential = {{ header = "X-Api-Key", value = {{ file = "secrets/provider.key" }} }}
[[routes]]
name = "shared"
path = "/shared"
upstream = "{upstream}"
auth = ["token"]
token = {{ header = "X-Proxy-Token", secret = {{ file = "secrets/shared.key" }} }}
"""


def version(folder, number, signing, certify):
    """A set of secrets; alice's key and the older signing key are in every one."""
    folder.mkdir()
    trust = certify(folder)
    other = (GONE, FRESH)[number]
    put(folder / "keys.txt", hashed("alice", KEY) + hashed("bob", other))
    put(folder / "signing.json", json.dumps(signing))
    put(folder / "jwks.json", json.dumps({"keys": list(map(without_private, signing["keys"]))}))
    put(folder / "provider.key", f"provider-secret-number-{number}\n")
    put(folder / "shared.key", f"shared-secret-number-{number}\n")
    return trust


def point(secrets, to):
    """Let `..data` lead to a version, in one step, as the kubelet does."""
    (secrets / "..data_tmp").symlink_to(to)
    (secrets / "..data_tmp").replace(secrets / "..data")


def swapped(secrets, fresh):
    assert fresh.parent == secrets
    point(secrets, fresh.name)


def renamed(secrets, fresh):
    """File by file: a certificate stands beside another's key for a moment."""
    for name in NAMES:
        put(secrets / name, (fresh / name).read_bytes())
        time.sleep(0.02)


def written_in_place(secrets, fresh):
    """File by file and in two halves."""
    for name in NAMES:
        whole = (fresh / name).read_bytes()
        cut = whole.find(b"\n") + 1 or len(whole) // 2  # at a line's end: the worst place
        with (secrets / name).open("wb") as file:
            file.write(whole[:cut])
            file.flush()
            time.sleep(0.02)
            file.write(whole[cut:])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("replace", [swapped, renamed, written_in_place])
def test_every_secret_is_replaced_under_load(folder, upstream, certify, workers, replace):
    secrets, first = folder / "secrets", generate_key_set("ES256")
    secrets.mkdir()
    old, fresh = secrets / "..v0", secrets / "..v1"
    trust = version(old, 0, first, certify)
    version(fresh, 1, rotate(first, "ES256"), certify)
    if replace is swapped:
        point(secrets, "..v0")
        for name in NAMES:
            (secrets / name).symlink_to(f"..data/{name}")
    else:
        for name in NAMES:
            put(secrets / name, (old / name).read_bytes())
    text = CONFIG.format(workers=workers, upstream=upstream.url)

    with serving(folder, text, trust) as gateway:
        gateway.secrets += [GONE, FRESH, "provider-secret-number", "shared-secret-number"]
        token = gateway.token()
        shown = certificate_of(gateway)
        assert injected(gateway) == "provider-secret-number-0"
        with Crowd(gateway.port, trust) as crowd:
            wait_until(lambda: crowd.counts.answered > 50)
            replace(secrets, fresh)

            wait_until(lambda: gateway.status(FRESH) == 200)
            wait_until(lambda: gateway.status(GONE) == 401)
            wait_until(lambda: injected(gateway) == "provider-secret-number-1")
            wait_until(lambda: certificate_of(gateway) != shown)
            wait_until(lambda: shared(gateway, 1) == 200 and shared(gateway, 0) == 403)
            wait_until(lambda: kid_of(gateway) != first["keys"][0]["kid"])
            assert gateway.status(token) == 200
        assert crowd.counts.failed == []


def injected(gateway):
    return json.loads(gateway.ask()[2])["x-api-key"]


def shared(gateway, number):
    return gateway.ask("/shared", headers={"X-Proxy-Token": f"shared-secret-number-{number}"})[0]


def kid_of(gateway):
    _, _, body = gateway.ask("/token", "POST")
    return json.loads(body)["kid"]


def certificate_of(gateway):
    connection = gateway.connect()
    try:
        return connection.sock.getpeercert(binary_form=True)
    finally:
        connection.close()
