"""Tracebacks that hold code and no data.

The text of an exception often quotes what it choked on, and here that may be a
client's credential or the bytes of its request. So of an exception its type is
told, where it came from, and, if the system raised it, the system's words.
"""

import traceback
from typing import Final

MAX_FRAMES: Final = 24
# Causes behind causes; a cycle among them ends here too.
MAX_CHAIN: Final = 5


def describe(exc: BaseException) -> str:
    """An exception in a few words, without what it says itself."""
    name = type(exc).__qualname__
    if isinstance(exc, OSError) and isinstance(exc.strerror, str):
        return f"{name}: {exc.strerror}"
    return name


def trace(exc: BaseException) -> str:
    """Where an exception came from, innermost call last, and what it follows from."""
    parts: list[str] = []
    following: BaseException | None = exc
    while following is not None and len(parts) < MAX_CHAIN:
        parts.append(_frames(following) + describe(following))
        following = following.__cause__ or following.__context__
    return "\nfollows from\n".join(parts)


def _frames(exc: BaseException) -> str:
    # Without the source lines: they would have to be read from disk, and this
    # runs on the event loop.
    frames = list(traceback.walk_tb(exc.__traceback__))[-MAX_FRAMES:]
    return "".join(
        f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}\n"
        for frame, line in frames
    )
