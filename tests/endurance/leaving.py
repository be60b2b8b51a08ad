"""A client leaves: how long its upstream goes on working."""

import asyncio
import contextlib
import threading
import time
from itertools import product

from tests.endurance.amplification import UPGRADE
from tests.endurance.figure import Figure
from tests.endurance.origin import HOST, Origin
from tests.endurance.stage import config
from tests.endurance.wire import connect, head, read_head, reset

MAX_MS = 500.0
TIMES = 10
PATIENCE_S = 5.0


class Watch:
    """An upstream in a thread that notes when its connections ended."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._ended, self._origins = {}, []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        opening = self._loop.create_server(self._origin, HOST, 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self):
        self._server.close()
        for each in self._origins:
            each.transport.abort()
        await asyncio.sleep(0.05)  # until all are told

    def _origin(self):
        self._origins.append(Origin(lost=self._lost))
        return self._origins[-1]

    def _lost(self, path):
        with self._news:
            self._ended[path] = time.perf_counter()
            self._news.notify_all()

    def ended(self, path):
        """When the connection that was asked for ``path`` ended."""
        with self._news:
            assert self._news.wait_for(lambda: path in self._ended, PATIENCE_S), path
            return self._ended[path]


def _before_the_first_byte(sock, name):
    sock.sendall(head("GET", f"/{name}/hold"))
    return f"{name}/hold"


def _in_a_stream(sock, name):
    sock.sendall(head("GET", f"/{name}/sse/1000/20"))
    read_head(sock)
    return f"{name}/sse/1000/20"


def _in_an_unread_download(sock, name):
    sock.sendall(head("GET", f"/{name}/bytes/1000000000"))
    read_head(sock)
    return f"{name}/bytes/1000000000"


def _in_an_upload(sock, name):
    sock.sendall(head("POST", f"/{name}/count", "Content-Length: 100000") + b"half")
    return f"{name}/count"


def _in_a_websocket(sock, name):
    sock.sendall(head("GET", f"/{name}/talk", *UPGRADE))
    read_head(sock)
    return f"{name}/talk"


PLACES = {
    "before the first byte": _before_the_first_byte,
    "in a stream": _in_a_stream,
    "in a download it does not read": _in_an_unread_download,
    "in an upload": _in_an_upload,
    "in a WebSocket": _in_a_websocket,
}


def _close(sock):
    with contextlib.suppress(OSError):
        sock.close()


WAYS = {"FIN": _close, "RST": reset}


def measure(folder, scale):
    """Each place, each way, over TLS and in plain; the longest of several."""
    times = max(3, TIMES // scale)
    for kind, trust, parts in (("TLS", folder.trust, {}), ("plain", None, {"listener": ""})):
        with (
            Watch() as upstream,
            folder.gateway(config({"/": upstream.url}, **parts)) as gateway,
        ):
            for place, way in product(PLACES, WAYS):
                names = [f"{place[3:5].strip()}{way}{i}" for i in range(times)]
                took = [
                    _once(gateway, trust, upstream, PLACES[place], WAYS[way], name)
                    for name in names
                ]
                yield Figure(f"client leaves {place}, {way}, {kind}", max(took), "ms", MAX_MS)


def _once(gateway, trust, upstream, begin, leave, name):
    sock = connect(gateway.port, trust)
    path = begin(sock, name)
    time.sleep(0.05)  # until it has arrived at the far end
    left = time.perf_counter()
    leave(sock)
    return 1000 * (upstream.ended(path) - left)
