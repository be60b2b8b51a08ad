"""Who holds a connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a client's connection.

    Attributes:
        address: IP address, or ``""`` on a unix socket.
        is_tls: The connection is encrypted.
        certificate_name: Common name of the verified client certificate, or ``""``.
    """

    address: str
    is_tls: bool
    certificate_name: str = ""
