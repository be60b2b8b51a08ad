"""Who holds a connection."""

import asyncio
from dataclasses import dataclass
from typing import Self


@dataclass(slots=True)
class Peer:
    """The other end of a client's connection.

    Attributes:
        address: IP address, or ``""`` on a unix socket. Behind a balancer with a PROXY
            header, of whom it speaks for: such a balancer is no party to HTTP.
        is_tls: The connection is encrypted.
        certificate_name: Common name of the verified client certificate, or ``""``.
        greeted: Who was last let in on the connection; the audit log hears of each
            caller once a connection, not once a request.
        course: What the connection's last head settled, for the handler to know again.
        is_unnamed: The address is a balancer's that does not say whom it speaks for: what
            comes is anybody's, and never the word of a trusted proxy.
    """

    address: str
    is_tls: bool
    certificate_name: str = ""
    greeted: object = None
    course: object = None
    is_unnamed: bool = False

    @classmethod
    def of(
        cls, transport: asyncio.Transport, address: str | None = None, *, is_unnamed: bool = False
    ) -> Self:
        """The peer of an open connection, its handshake done.

        Args:
            transport: The connection's.
            address: As told when it was accepted; ``None``: the transport's own.
            is_unnamed: See ``Peer``.
        """
        if address is None:
            name = transport.get_extra_info("peername")
            address = name[0] if isinstance(name, tuple) else ""
        tls = transport.get_extra_info("ssl_object")
        if tls is None:
            return cls(address, is_tls=False, is_unnamed=is_unnamed)
        name = _common_name(tls.getpeercert())
        return cls(address, is_tls=True, certificate_name=name, is_unnamed=is_unnamed)


def _common_name(certificate: dict[str, object] | None) -> str:
    """The subject's common name in what ``getpeercert`` returns, verified or nothing."""
    subject = (certificate or {}).get("subject", ())
    pairs = (
        [pair for relative in subject for pair in relative] if isinstance(subject, tuple) else []
    )
    return next((str(value) for key, value in pairs if key == "commonName"), "")
