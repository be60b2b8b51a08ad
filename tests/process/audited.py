"""Gateways whose security events go to a file, and what is in it afterwards."""

import json
import threading
from collections import Counter

from tests.audit_lines import judge
from tests.process.served import BEARER

CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
[server]
admin = ""
workers = {workers}
drain = "2s"
[server.log]
access = false
audit = "{audit}"
[auth]
keys_file = "keys.txt"
[rate_limits.api]
rate = "100000r/s"
burst = 100000
[[routes]]
name = "all"
upstream = "{upstream}"
deny_paths = ["/closed"]
"""


def config(upstream, audit, workers=2):
    return CONFIG.format(upstream=upstream.url, audit=audit, workers=workers)


class Intruders:
    """Clients that ask for a closed path without end, over connections that they keep."""

    def __init__(self, gateway, count=3):
        self.denied = Counter()
        self._gateway = gateway
        self._is_over = False
        self._threads = [
            threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(count)
        ]

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._is_over = True
        for each in self._threads:
            each.join()

    @property
    def total(self):
        return sum(self.denied.values())

    def _run(self, n):
        connection = self._gateway.connect()
        while not self._is_over:
            connection.request("GET", "/closed", headers=BEARER)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 403
            self.denied[n] += 1
        connection.close()


def lines_in(*paths):
    """The audit lines of files; one that is no line of JSON is an error."""
    text = b"".join(path.read_bytes() for path in paths)
    assert text.endswith(b"\n") or not text
    judge(text.decode("ascii").splitlines())
    return [json.loads(line) for line in text.splitlines()]


def events_in(lines, event):
    """How many events of a kind the lines tell of, those included that were left out."""
    of_event = [line for line in lines if line["event"] == event]
    shown = sum(line["result"] != "suppressed" for line in of_event)
    return shown + sum(line.get("suppressed", 0) for line in of_event)
