"""What a client of a provider sends: the fields of OpenAI's SDK for Python, in their order.

As version 3.57 sends a completion request, without ``Host``, the credential and the length.
"""

from collections.abc import Sequence
from typing import Final

FIELDS: Final = (
    "Accept-Encoding: gzip, deflate",
    "Connection: keep-alive",
    "Accept: application/json",
    "Content-Type: application/json",
    "User-Agent: OpenAI/Python 3.57.0",
    "X-Stainless-Lang: python",
    "X-Stainless-Package-Version: 3.57.0",
    "X-Stainless-OS: Linux",
    "X-Stainless-Arch: x64",
    "X-Stainless-Runtime: CPython",
    "X-Stainless-Runtime-Version: 3.11.7",
    "X-Stainless-Async: false",
    "X-Stainless-Retry-Count: 0",
    "X-Stainless-Read-Timeout: 600",
)


def traced(number: int) -> Sequence[str]:
    """The fields of a client that also says which trace a request is part of (W3C).

    Args:
        number: Of the request; each has a head of its own.
    """
    return (*FIELDS, f"Traceparent: 00-{number + 1:032x}-{number + 1:016x}-01")
