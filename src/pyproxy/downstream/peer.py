"""Who holds a connection."""

from dataclasses import dataclass


@dataclass(slots=True)
class Peer:
    """The other end of a client's connection.

    Attributes:
        address: IP address, or ``""`` on a unix socket.
        is_tls: The connection is encrypted.
        certificate_name: Common name of the verified client certificate, or ``""``.
        greeted: Who was last let in on the connection; the audit log hears of each
            caller once a connection, not once a request.
    """

    address: str
    is_tls: bool
    certificate_name: str = ""
    greeted: object = None
