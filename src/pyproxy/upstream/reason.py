"""Why another server could not be spoken to, in an operator's words."""

import os
import re
import socket
import ssl
from typing import Final

# asyncio tries every address of a name and puts several failures into one text.
_NUMBER: Final = re.compile(r"\[Errno ([0-9]{1,4})\]")

# musl knows no EAI_NODATA.
_NO_SUCH_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", 0)})
_TLS: Final = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS on this port",
    "HTTP_REQUEST": "it does not speak TLS on this port",
    "UNEXPECTED_EOF_WHILE_READING": "closed by the other side",
    "UNSUPPORTED_PROTOCOL": "no TLS version in common",
    "TLSV1_ALERT_PROTOCOL_VERSION": "no TLS version in common",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it asks for a client certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust our client certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it finds no cipher or certificate in common",
    "TLSV1_UNRECOGNIZED_NAME": "it has no certificate for this name",
}


def in_words(error: BaseException) -> str:
    """Why a connection could not be made, or broke; one line without names of classes.

    Nothing in it was sent by the other side.

    Args:
        error: Of the system, of ``ssl``, or of a library that has one of these for its cause.
    """
    match _innermost(error):
        case ssl.SSLError() as found:
            return _of_tls(found)
        case socket.gaierror() as found:
            return _of_name(found)
        case OSError() as found:
            return _of_system(found)
        case UnicodeError():
            return "name not known: it is no host name"
        case _:
            return "for a reason unknown"


def _innermost(error: BaseException) -> BaseException:
    """The last error of the system in a chain of causes, or what was given."""
    found, following = error, error.__cause__
    while following is not None:
        if isinstance(following, OSError | UnicodeError):
            found = following
        following = following.__cause__
    return found


def _of_name(error: socket.gaierror) -> str:
    if error.errno in _NO_SUCH_NAME:
        return "name not known"
    return f"name not resolved: {(error.strerror or 'no answer').lower()}"


def _of_tls(error: ssl.SSLError) -> str:
    # OpenSSL sets both; an error that was made in Python has neither.
    if isinstance(error, ssl.SSLCertVerificationError):
        verdict = str(getattr(error, "verify_message", "") or "no reason given")
        return f"certificate verify failed: {verdict[0].lower()}{verdict[1:].rstrip('.')}"
    reason = str(getattr(error, "reason", "") or "no reason given")
    return _TLS.get(reason) or f"TLS: {reason.replace('_', ' ').lower()}"


def _of_system(error: OSError) -> str:
    number = error.errno or next(map(int, _NUMBER.findall(str(error))), 0)
    if number:
        return os.strerror(number).lower()
    match error:
        case ConnectionAbortedError():
            return "the TLS handshake took too long"  # asyncio's way to say so
        case TimeoutError():
            return "took too long"
        case ConnectionError():
            return "closed by the other side"
        case _:
            return str(error).lower() or "for a reason unknown"
