"""The ``Date`` field (RFC 9110 section 6.6.1)."""

from email.utils import formatdate
from functools import lru_cache


@lru_cache(maxsize=2)
def _line(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode("ascii")


def date_line(wall: float) -> bytes:
    """The field line for a moment; each second is worked out once.

    Args:
        wall: Epoch seconds.
    """
    return _line(int(wall))
