"""Key exchanges that are offered: fast curves alone.

OpenSSL 3 also takes the finite fields of RFC 7919 in TLS 1.3 unless it is told not to. A client
that asks for the largest, and need not calculate anything for it, costs 0.2 s of a core and holds
the loop up as long: five such handshakes a second are an outage (CVE-2002-20001, "D(HE)at"). A
curve costs 0.2 ms. Before Python 3.15 ``ssl`` can name one curve only, which would cost every
client that guessed another a round trip, so OpenSSL is told by itself.
"""

import _ssl
import ctypes
import ssl
import sys
import sysconfig
from typing import Final

# Mozilla "intermediate" and "modern"; the hybrid, which OpenSSL knows from 3.5, is in front.
CURVES: Final = "X25519:P-256:P-384"
_HYBRID: Final = "X25519MLKEM768"
_KNOWS_HYBRID: Final = (3, 5)
_SET_GROUPS_LIST: Final = 92  # SSL_CTRL_SET_GROUPS_LIST of <openssl/ssl.h>, since 1.1.1
# `struct { PyObject_HEAD; SSL_CTX *ctx; ... } PySSLContext` of Modules/_ssl.c in these.
_KNOWN_LAYOUTS: Final = ((3, 11), (3, 15))


def default_groups() -> str:
    """What clients are to be offered, in order of preference."""
    knows_hybrid = ssl.OPENSSL_VERSION_INFO[:2] >= _KNOWS_HYBRID
    return f"{_HYBRID}:{CURVES}" if knows_hybrid else CURVES


def is_restrictable() -> bool:
    """Whether this Python lets `restrict` do its work."""
    return restrict(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), default_groups())


def restrict(context: ssl.SSLContext, groups: str) -> bool:
    """Offer these groups and no others.

    Args:
        context: Not in use yet.
        groups: Names as OpenSSL has them, colons between.

    Returns:
        Whether it was done; else all of OpenSSL's are offered. It is not where this Python
        holds its contexts in another way, or hides the OpenSSL that it was built with.
    """
    set_groups = getattr(context, "set_groups", None)  # Python 3.15
    if set_groups is not None:
        set_groups(groups)
        return True
    library = _library()
    if library is None or not _is_layout_known():
        return False
    at = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    if library.SSL_CTX_ctrl(at, _SET_GROUPS_LIST, 0, groups.encode("ascii")) == 1:
        return True
    # What stays in the queue of errors would be taken for one of the next handshake's.
    library.ERR_clear_error()
    return False


def _is_layout_known() -> bool:
    first, beyond = _KNOWN_LAYOUTS
    is_plain = not (hasattr(sys, "gettotalrefcount") or sysconfig.get_config_var("Py_GIL_DISABLED"))
    return (
        sys.implementation.name == "cpython" and first <= sys.version_info[:2] < beyond and is_plain
    )


def _library() -> ctypes.CDLL | None:
    """The OpenSSL of this Python's ``ssl``, not another one that is loaded too."""
    try:
        library = ctypes.CDLL(getattr(_ssl, "__file__", None))
        library.SSL_CTX_ctrl.argtypes = (
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_long,
            ctypes.c_char_p,
        )
        library.SSL_CTX_ctrl.restype = ctypes.c_long
        library.ERR_clear_error.restype = None
    except (OSError, AttributeError):
        return None
    return library
