"""What an operator's commands say of a gateway that runs, asked as its configuration says."""

import json
import subprocess
import sys

from tests.process.served import KEY, PATIENCE_S, environment, put, serving

CONFIGURATION = """
[server]
admin = "unix:admin.sock"
admin_token = {{ file = "admin-token" }}
workers = 2
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys_file = "keys.txt"
[auth.ban]
after = 2
[rate_limits.auth]
rate = "100r/s"
burst = 100
[[routes]]
name = "stand-in"
upstream = "{upstream}"
"""
TOKEN = "the-admin-token-of-this-gateway"


def test_bans_are_listed_and_lifted_over_a_unix_socket_with_a_token(folder, upstream):
    put(folder / "admin-token", TOKEN)

    def pyproxy(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "pyproxy", *arguments],
            cwd=folder, env=environment(), capture_output=True, text=True, timeout=PATIENCE_S,
            check=False,
        )  # fmt: skip
        assert TOKEN not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    with serving(folder, CONFIGURATION.format(upstream=upstream.url)) as gateway:
        gateway.secrets.append(TOKEN)
        assert gateway.status() == 200
        while gateway.status("a-wrong-key-of-nobody-at-all") == 401:
            pass
        assert gateway.status() == 403

        code, out, _ = pyproxy("bans", "list", "--json")
        assert (code, [each["address"] for each in json.loads(out)["bans"]]) == (0, ["127.0.0.1"])
        assert pyproxy("bans", "lift", "127.0.0.1")[0] == 0
        assert gateway.status() == 200
        assert pyproxy("bans", "lift", "127.0.0.1")[0] == 1

        code, out, err = pyproxy("top")
        assert (code, err) == (0, "")
        assert "workers 2 of 2" in out
        assert "stand-in" in out
        assert KEY not in out
    assert pyproxy("top")[0] == 1
