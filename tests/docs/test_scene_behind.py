"""The recipe for other proxies, followed with the real ones."""

from tests.docs.fronts import HAPROXY, missing, nginx
from tests.docs.scene import Scene, play
from tests.programs import demand

FROM_ELSEWHERE = 'curl --interface 127.0.0.9 --cacert certs/ca.crt -H "Authorization: Bearer $KEY" '
SCENE = Scene(
    "docs/recipes/behind-another-proxy.md",
    stand_ins=("demonstration",),
    before="pyproxy cert",
    files={
        "listen 8443 ssl": "asking.conf",
        "listen 8444 ssl": "passing.conf",
        "send-proxy-v2": "haproxy.cfg",
    },
    # nginx takes them from where its own configuration is.
    replace={
        "/etc/pyproxy/certs/": "../certs/",
        # It asks a server at once whether it is there, and then again after two seconds.
        "curl --cacert certs/ca.crt https://localhost:8445": HAPROXY
        + "curl --cacert certs/ca.crt https://localhost:8445",
    },
    after={
        "listen 8443 ssl": nginx("asking.conf"),
        "listen 8444 ssl": nginx("passing.conf"),
        "https://localhost:8444/": FROM_ELSEWHERE + "https://localhost:8444/from-nginx",
        "https://localhost:8445/": FROM_ELSEWHERE + "https://localhost:8445/from-haproxy",
    },
    prints={
        "https://localhost:8443/v1/models -H": ['"data"'],
        "https://localhost:8444/": ['"data"'],
        "https://localhost:8445/": ['"data"'],
    },
)


def test_every_command_works(tmp_path):
    demand(missing("nginx", "haproxy"))

    logged = play(SCENE, tmp_path).logged().splitlines()

    for path in ("/from-nginx", "/from-haproxy"):
        (line,) = [each for each in logged if path in each and '"request"' in each]
        assert '"ip":"127.0.0.9"' in line
