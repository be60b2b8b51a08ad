"""TLS towards an upstream: its chain and its name are always verified."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pyproxy.config.files import MOST_OF_PEM, read_file
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.upstream.pins import Pins


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a route's ``tls`` section points to.

    Attributes:
        ca: PEM of the CAs that are trusted, instead of the system's.
        certificate: PEM shown to an upstream that asks for one.
        private_key: PEM of its key; ``None``: it is in ``certificate``.
    """

    ca: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None


@dataclass(frozen=True, slots=True)
class ClientTls:
    """How a route's upstream is spoken to over TLS.

    There is no way to switch verification off.

    Attributes:
        context: For ``loop.create_connection(ssl=...)``.
        server_name: Name asked for and verified instead of the host connected
            to; ``""``: the host itself.
        pins: To be checked after each handshake.
    """

    context: ssl.SSLContext
    server_name: str
    pins: Pins

    @classmethod
    def load(
        cls,
        files: TlsFiles | None = None,
        server_name: str = "",
        pins: Iterable[str] = (),
        path: str = "tls",
    ) -> "ClientTls":
        """Read the files. Blocks.

        Args:
            files: ``None``: the system's CAs, no certificate of our own.
            server_name: See the attribute.
            pins: See ``Pins.of``.
            path: Where the section stands, for faults: ``routes[0].tls``.

        Raises:
            ConfigurationError: A file is missing or broken, or the name is none.
        """
        context = _context(files or TlsFiles(), path)
        if server_name:
            _require_name(context, server_name, path)
        return cls(context, server_name, Pins.of(pins))

    def name_for(self, host: str) -> str:
        """The name to ask for and verify (RFC 6066 section 3, which has no final dot, RFC 9525)."""
        return self.server_name or host.removesuffix(".")


def _context(files: TlsFiles, path: str) -> ssl.SSLContext:
    # Not `create_default_context`: that writes session keys to SSLKEYLOGFILE,
    # and verifies more strictly from one Python to the next.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # RFC 9525 section 2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    _trust(context, files.ca)
    if files.certificate is not None:
        _present(context, files.certificate, files.private_key)
    elif files.private_key is not None:
        raise ConfigurationError(Fault(f"{path}.private_key", "is set without a certificate"))
    return context


def _require_name(context: ssl.SSLContext, name: str, path: str) -> None:
    """Find out now what would else end each connection in the middle of being made."""
    try:
        _ = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)
    except ValueError as exc:
        raise ConfigurationError(Fault(f"{path}.server_name", "is no host name")) from exc


def _trust(context: ssl.SSLContext, ca: Path | None) -> None:
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)  # SSL_CERT_FILE, or the system's
        return
    # Names of CAs stand between the certificates, in any alphabet.
    pem = read_file(ca, MOST_OF_PEM).decode("ascii", "ignore")
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as exc:  # the latter where it is empty
        raise ConfigurationError(Fault(str(ca), "holds no PEM certificate")) from exc


def _present(context: ssl.SSLContext, certificate: Path, private_key: Path | None) -> None:
    for path in (certificate, private_key or certificate):
        # OpenSSL takes names only, does not say which of the two it missed, and would wait
        # for the writer of a pipe.
        _ = read_file(path, MOST_OF_PEM)
    try:
        context.load_cert_chain(certificate, private_key, password=_refuse_password)
    except _EncryptedKey as exc:
        problem = "is encrypted, and nobody is there to type its passphrase: store it decrypted"
        raise ConfigurationError(Fault(str(private_key or certificate), problem)) from exc
    except ssl.SSLError as exc:
        problem = f"and {private_key or certificate} are not a PEM certificate and its key"
        raise ConfigurationError(Fault(str(certificate), problem)) from exc


class _EncryptedKey(Exception):
    """OpenSSL asked for a passphrase."""


def _refuse_password() -> str:
    # Without this, OpenSSL would stop and ask on the terminal.
    raise _EncryptedKey
