"""The pages of who operates the gateway, followed."""

import pytest

from tests.docs.scene import Scene, play

BANNED = """
cat >pyproxy.toml <<'END'
[server]
admin_token = "..."
trusted_proxies = ["127.0.0.1"]
[[listeners]]
bind = "127.0.0.1:5000"
[auth]
keys = ["a-key-that-is-long-enough"]
ban = { after = 2 }
END
pyproxy serve
for _ in 1 2 3; do
  curl -H "X-Forwarded-For: 203.0.113.7" -H "Authorization: Bearer wrong" http://localhost:5000/
done
export ADMIN_TOKEN=...
"""
FILES = Scene(
    "deploy/README.md",
    stand_ins=("providers",),
    prints={"serve -c deploy/sidecar.toml": ["listener.ready"], "PROXY_SECRET": ["listener.ready"]},
)
OPERATIONS = Scene(
    "docs/operations.md",
    before=BANNED,
    replace={
        "unix:/run/pyproxy-admin.sock": "http://127.0.0.1:9100",
        " PID ": " $(cat $PYPROXY_STAGE/pid-pyproxy) ",
    },
    prints={
        "pyproxy top": ["demonstration|copilot"],
        "pyproxy bans list": ["203.0.113.7"],
        "promtool": ["SUCCESS"],
    },
)
PERFORMANCE = Scene(
    "docs/performance.md",
    not_run={
        "apt-get install nginx wrk": "installs programs, and measures for minutes",
        "-m bench.growth --only injection provider": "measures for minutes",
    },
)


@pytest.mark.parametrize("scene", [FILES, OPERATIONS, PERFORMANCE], ids=lambda scene: scene.page)
def test_every_command_works(scene, tmp_path):
    play(scene, tmp_path)
