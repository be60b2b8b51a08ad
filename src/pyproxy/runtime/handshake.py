"""Why a client's TLS handshake, or its introduction, failed, in an operator's words."""

import ssl
from typing import Final

from pyproxy.runtime.proxy_header import NotIntroduced
from pyproxy.upstream.reason import in_words

CLIENT_LEFT: Final = "the client left"

_REASONS: Final = {
    "HTTP_REQUEST": "plain HTTP on a TLS port",
    "WRONG_VERSION_NUMBER": "no TLS",
    "UNSUPPORTED_PROTOCOL": "a TLS version below min_version",
    "NO_SHARED_CIPHER": "no cipher in common",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no client certificate",
    "UNEXPECTED_EOF_WHILE_READING": CLIENT_LEFT,
}
# What a client says that does not believe in our certificate (RFC 8446 section 6.2).
_DISTRUST: Final = frozenset(
    {"unknown ca", "bad certificate", "certificate unknown", "certificate expired"}
)
_ALERT: Final = "_ALERT_"
# OpenSSL's verdicts on a chain that does not end at a CA of ours (X509_verify_cert_error_string).
_OTHER_AUTHORITY: Final = frozenset({18, 19, 20, 21})


def failed_because(error: OSError) -> str:
    """Why a connection was turned away; nothing in it was sent by the client.

    Args:
        error: As the event loop raised it.
    """
    match error:
        case NotIntroduced():
            return str(error)
        case ssl.SSLCertVerificationError():
            return _of_certificate(error)
        case ssl.SSLError():
            return _of_tls(error)
        case TimeoutError() | ConnectionAbortedError():
            return "took longer than header_timeout"
        case ConnectionError():
            return CLIENT_LEFT
        case _:
            return in_words(error)


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _OTHER_AUTHORITY:
        return "a client certificate of another authority"
    return f"client certificate refused: {error.verify_message}"


def _of_tls(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    _, is_alert, name = reason.partition(_ALERT)
    alert = name.replace("_", " ").lower()
    if is_alert and alert in _DISTRUST:
        return f"the client does not trust our certificate ({alert})"
    if is_alert:
        return f"the client broke off ({alert})"
    return _REASONS.get(reason) or in_words(error)
