"""Opens many connections, asks once on each, and holds them without another word.

    python -m bench.holder --port 5000 --authority CERTIFICATE --key KEY --connections 1000 \
        --ready PORT

When all are open and answered, it listens on the port ``--ready``. Ends with exit code 1 when
it is refused something or a connection is lost.
"""

import argparse
import asyncio
import ssl
import sys

import uvloop

_REQUEST = "GET /held HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
_GREETED = b"HTTP/1.1 200 "


class Held(asyncio.Protocol):
    """A connection whose first answer, or whose end, is waited for."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[bytes] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()

    def data_received(self, data: bytes) -> None:
        """Keep what the answer begins with."""
        if not self.answer.done():
            self.answer.set_result(data)

    def connection_lost(self, _: Exception | None) -> None:
        """Tell both who may be waiting."""
        if not self.answer.done():
            self.answer.set_result(b"")
        self.lost.set_result(None)


async def hold(options: argparse.Namespace) -> str:
    """Open and hold; what went wrong, once something does."""
    context = ssl.create_default_context(cafile=options.authority)
    request = _REQUEST.format(key=options.key).encode()
    loop = asyncio.get_running_loop()
    held = []
    for _ in range(options.connections):
        transport, connection = await loop.create_connection(
            Held, "127.0.0.1", options.port, ssl=context
        )
        transport.write(request)
        answer = await connection.answer
        if not answer.startswith(_GREETED):
            return f"refused: {answer[:100]!r}"
        held.append(connection)
    await loop.create_server(asyncio.Protocol, "127.0.0.1", options.ready)
    await asyncio.wait(
        [connection.lost for connection in held], return_when=asyncio.FIRST_COMPLETED
    )
    return "a connection was lost"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authority", required=True, help="PEM file that vouches for the server")
    parser.add_argument("--key", required=True)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--ready", type=int, required=True, help="port to listen on when ready")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(uvloop.run(hold(_options())))
