"""What libraries and the event loop have to say, in the gateway's own log."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from pyproxy.telemetry.backtrace import trace
from pyproxy.telemetry.log import Level, Log


class Bridge(logging.Handler):
    """Passes what libraries log on to ``log``; never raises."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler.emit``."""
        exc = record.exc_info[1] if record.exc_info else None
        self._log.write(
            _level(record.levelno),
            f"library.{record.name}",
            _message(record),
            {},
            trace(exc) if exc is not None else "",
        )


def install(log: Log) -> Bridge:
    """Make the bridge the only handler of the root logger.

    Returns:
        The handler, for whoever wants to take it away again.
    """
    bridge = Bridge(log)
    root = logging.getLogger()
    root.handlers[:] = [bridge]
    # Libraries log at debug and info for themselves; two of them (aiohttp,
    # asyncio) write down addresses and requests there.
    root.setLevel(logging.DEBUG if log.is_debug else logging.WARNING)
    return bridge


def exception_handler(
    log: Log,
) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """A handler for ``loop.set_exception_handler``.

    The default one prints every object it is given, transports, handles and
    their arguments among them: request bytes. This one prints two.
    """

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        del loop
        message = str(context.get("message", ""))
        exc = context.get("exception")
        if isinstance(exc, BaseException):
            log.failure("loop.failure", exc, message)
        else:
            log.write("error", "loop.failure", message, {})

    return handle


_LEVELS: Final[tuple[tuple[int, Level], ...]] = (
    (logging.ERROR, "error"),
    (logging.WARNING, "warning"),
    (logging.INFO, "info"),
)


def _level(number: int) -> Level:
    return next((level for least, level in _LEVELS if number >= least), "debug")


def _message(record: logging.LogRecord) -> str:
    if record.name == "asyncio":
        # In debug mode its arguments are handles, printed with what they were
        # called with: request bytes.
        return str(record.msg)
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a library's mistake in its own log call
        return str(record.msg)
