"""A client's TLS that keeps what it decrypted, whatever library the client is made of."""

import ssl


class Tap:
    """Bytes that clients received.

    Attributes:
        received: Of all connections together, in the order in which they were read.
        context: Of clients whose bytes are kept.
    """

    def __init__(self, authorities):
        """Trust the certificates in these files."""
        self.received = bytearray()
        self.context = ssl.create_default_context()
        for path in authorities:
            self.context.load_verify_locations(path)
        self.context.sslsocket_class = _keeping(ssl.SSLSocket, self.received)
        self.context.sslobject_class = _keeping(ssl.SSLObject, self.received)


def _keeping(kind, received):
    """A kind of encrypted connection that keeps what is read; all ways to read end in ``read``."""

    class Keeping(kind):
        def read(self, len=1024, buffer=None):  # noqa: A002 - the name is ssl's
            got = super().read(len, buffer)
            received.extend(got if buffer is None else memoryview(buffer)[:got])
            return got

    return Keeping
