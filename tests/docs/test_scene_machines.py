"""Recipes for gateways that are served in earnest: several of them, and with real certificates."""

from tests.docs.fronts import PEBBLE, missing
from tests.docs.scene import Scene, play
from tests.programs import demand
from tests.redis_server import demand_redis

SECOND = """
{ echo '[server]'; echo 'admin = "127.0.0.1:9101"'; cat pyproxy.toml; } \\
  | sed 's/127.0.0.1:5000/127.0.0.2:5000/' >second.toml
pyproxy serve -c second.toml
"""
SEVERAL = Scene(
    "docs/recipes/several-machines.md",
    stand_ins=("redis", "demonstration"),
    replace={"0.0.0.0:5000": "127.0.0.1:5000"},
    after={"pyproxy check --connect ": SECOND},
    prints={
        "pyproxy check --connect ": ["redis.internal"],
        "/token/revoke": ["200", '"revoked": *true'],
    },
)
ACME = "https://localhost:14000/dir"
CERTBOT = f"--server {ACME} --config-dir certbot --work-dir certbot --logs-dir certbot"
# What is served after another renewal, without a word to the gateway.
RENEWED = f"""
shown() {{ openssl s_client -connect localhost:5000 </dev/null 2>/dev/null; }}
serial() {{ shown | openssl x509 -noout -serial; }}
first=$(serial)
lego --server {ACME} --accept-tos --email you@example.com --domains gateway.example.com --http \\
  --path lego renew --days 9999 --no-random-sleep \\
  --renew-hook "$PWD/deploy/certificates/deploy-hook"
until [ "$(serial)" != "$first" ]; do sleep 0.1; done
stat -c "%a" certs/copilot.key
"""
CERTIFICATES = Scene(
    "docs/recipes/lets-encrypt.md",
    stand_ins=("demonstration",),
    before=f"{PEBBLE}\nexport PYPROXY_CERTS=$PWD/certs PYPROXY_GROUP=$(id -gn)\n"
    "pyproxy keys new alice",
    replace={
        "/etc/pyproxy/certs/": "certs/",
        "certbot certonly ": f"certbot certonly {CERTBOT} ",
        "lego --accept-tos": f"lego --server {ACME} --accept-tos",
    },
    after={"openssl s_client": RENEWED},
    prints={"openssl s_client": ["issuer=CN = Pebble Intermediate", r"\n640\n"]},
)


def test_several_machines_are_one(tmp_path):
    demand_redis()

    play(SEVERAL, tmp_path)


def test_certificates_come_and_are_renewed(tmp_path):
    demand(missing("certbot", "lego", "pebble", "openssl"))

    logged = play(CERTIFICATES, tmp_path).logged()

    assert "config.reloaded" in logged
