"""Opens many event streams at once through a contender and counts what arrives.

    python -m bench.streams --port 5000 --authority CERTIFICATE --key KEY --pids 12,13

Prints one JSON object: streams that did not come to their end and events that never came, and
the CPU time and memory of the contender's processes (``--pids``, their descendants included).
"""

import argparse
import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from typing import cast

import uvloop

from bench.processes import cpu_seconds, resident_mib

_LET_IN = b"HTTP/1.1 200 "
_LAST_CHUNK = b"0\r\n\r\n"
_SETTLE_S = 0.5  # until what opening took is released again


@dataclass(slots=True)
class Tally:
    """What has arrived on all streams together."""

    events: int = 0
    finished: int = 0


class Stream(asyncio.Protocol):
    """One request, and its answer until the last chunk."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request = request
        self._tally = tally
        self._tail = b""
        self._is_let_in = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count events; close after the last chunk, and at once when refused."""
        if not self._is_let_in:
            self._is_let_in = data.startswith(_LET_IN)
            if not self._is_let_in:
                self._transport.close()
                return
        self._tally.events += data.count(b"data: ")
        self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]
        if self._tail == _LAST_CHUNK:
            self._tally.finished += 1
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        """It is over, whole or not."""
        if not self.ended.done():
            self.ended.set_result(None)


async def run(options: argparse.Namespace) -> dict[str, float]:
    """Open the streams, wait for their ends, and say what that took."""
    context = ssl.create_default_context(cafile=options.authority)
    lines = f"Host: localhost\r\nAuthorization: Bearer {options.key}\r\n"
    path = f"/sse/{options.events}/{options.pause_ms}"
    request = f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()
    tally = Tally()
    pids = [int(pid) for pid in options.pids.split(",")]
    loop = asyncio.get_running_loop()
    cpu_at_start, started = cpu_seconds(pids), time.perf_counter()
    streams = [
        (
            await loop.create_connection(
                lambda: Stream(request, tally), "127.0.0.1", options.port, ssl=context
            )
        )[1]
        for _ in range(options.streams)
    ]
    cpu_when_open, opened = cpu_seconds(pids), time.perf_counter()
    await asyncio.sleep(_SETTLE_S)
    memory = resident_mib(pids)
    await asyncio.wait([stream.ended for stream in streams], timeout=options.timeout)
    return {
        "cpu_us_per_event": 1e6 * (cpu_seconds(pids) - cpu_when_open) / max(1, tally.events),
        "cpu_us_per_stream_opened": 1e6 * (cpu_when_open - cpu_at_start) / options.streams,
        "open_s": opened - started,
        "resident_mib": memory,
        "failed": options.streams
        - tally.finished
        + abs(options.streams * options.events - tally.events),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authority", required=True, help="PEM file that vouches for the server")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--events", type=int, default=400, help="on each stream")
    parser.add_argument("--pause-ms", type=int, default=20, help="before each event")
    parser.add_argument("--key", required=True)
    parser.add_argument("--pids", required=True)
    parser.add_argument("--timeout", type=float, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(_options()))))
