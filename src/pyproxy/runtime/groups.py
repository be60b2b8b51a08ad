"""Key exchanges that are offered: fast curves alone.

OpenSSL 3 also takes the finite fields of RFC 7919 in TLS 1.3 unless it is told not to. A client
that asks for the largest, and need not calculate anything for it, costs 0.2 s of a core and holds
the loop up as long: five such handshakes a second are an outage (CVE-2002-20001, "D(HE)at"). A
curve costs 0.2 ms. Before Python 3.15 ``ssl`` can name one curve only, which would cost every
client that guessed another a round trip, so OpenSSL is given a configuration, as a file of the
system's would be: it holds for all contexts of the process that are made after it.
"""

import _ssl
import ctypes
import os
import ssl
from functools import cache
from typing import Final

# Mozilla "intermediate" and "modern"; the hybrid, which OpenSSL knows from 3.5, is in front.
CURVES: Final = "X25519:P-256:P-384"
_HYBRID: Final = "X25519MLKEM768"
_KNOWS_HYBRID: Final = (3, 5)
# config(5) and SSL_CONF_cmd(3) of OpenSSL: what every new SSL_CTX begins with. No section may be
# called `default`, of which the lines above the first section are a part: what is no command there
# is an error where the system's openssl.cnf has config_diagnostics, as Debian's has from 13 on.
_CONFIGURATION: Final = (
    "openssl_conf = pyproxy\n"
    "[pyproxy]\nssl_conf = contexts\n"
    "[contexts]\nsystem_default = offered\n"
    "[offered]\nGroups = {groups}\n"
)


def default_groups() -> str:
    """What clients are to be offered, in order of preference."""
    knows_hybrid = ssl.OPENSSL_VERSION_INFO[:2] >= _KNOWS_HYBRID
    return f"{_HYBRID}:{CURVES}" if knows_hybrid else CURVES


@cache
def restrict() -> bool:
    """Have every TLS context from now on offer `default_groups` and no others.

    To be called before there are threads: OpenSSL guards its configuration by no lock.

    Returns:
        Whether it was done; else all of OpenSSL's are offered. It is not where this Python
        hides the OpenSSL that it was built with.
    """
    try:
        load = ctypes.CDLL(_ssl.__file__).CONF_modules_load_file
    except (OSError, AttributeError):
        return False
    load.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong)
    load.restype = ctypes.c_int
    file = os.memfd_create("openssl.cnf")
    try:
        _ = os.write(file, _CONFIGURATION.format(groups=default_groups()).encode("ascii"))
        return bool(load(f"/proc/self/fd/{file}".encode("ascii"), None, 0) == 1)
    finally:
        os.close(file)
