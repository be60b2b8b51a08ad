"""What one client's tiny chunks cost the others: the longest that they wait."""

import threading
from contextlib import closing

from tests.endurance.figure import Figure
from tests.endurance.stage import OriginProcess, config, wait_until
from tests.endurance.wire import GoodClient, connect, head, quantile, read_answer

CHUNKS = 1_000_000  # six bytes each
MAX_STALL_MS = 50.0
PACE_S = 0.002
MANY = 20  # after which everything is made that is made once


def measure(folder, scale):
    """Over TLS and in plain."""
    for trust, listener in ((folder.trust, {}), (None, {"listener": ""})):
        with OriginProcess() as origin:
            text = config({"/": origin.url}, **listener)
            with folder.gateway(text) as gateway:
                yield from _case(gateway, trust, CHUNKS // scale)


def _case(gateway, trust, chunks):
    kind = "plain" if trust is None else "TLS"
    with closing(connect(gateway.port, trust)) as client:
        client.sendall(head("POST", "/count", "Transfer-Encoding: chunked"))
        with GoodClient(gateway.port, trust, PACE_S) as good:
            wait_until(lambda: len(good.took) > MANY)
            good.took.clear()
            body = b"1\r\nx\r\n" * chunks + b"0\r\n\r\n"
            sender = threading.Thread(target=client.sendall, args=(body,))
            sender.start()
            assert read_answer(client)[1] == b"%d" % chunks
            sender.join()
    assert not good.failed
    what = f"{chunks:,} chunks of one byte, {kind}"
    yield Figure(
        f"{what}: longest wait of another client", quantile(good.took, 1), "ms", MAX_STALL_MS
    )
    yield Figure(f"{what}: requests of another client meanwhile", len(good.took), "")
