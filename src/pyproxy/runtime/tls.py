"""TLS towards clients: certificates by name, replaced while connections live."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyproxy.config.files import MOST_OF_PEM, read_file
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.certificates import Certificate, read_certificate
from pyproxy.runtime.preflight import exposed
from pyproxy.runtime.watch import Stamps, stamps_of

# Mozilla "intermediate" 5.7 without finite-field Diffie-Hellman: all of it is
# ECDHE and AEAD (RFC 9325 section 4.2). TLS 1.3's own suites are OpenSSL's.
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a certificate and its key are.

    Attributes:
        certificate: PEM: the certificate, then its issuers'.
        private_key: PEM, not encrypted.
    """

    certificate: Path
    private_key: Path


@dataclass(frozen=True, slots=True)
class TlsRules:
    """What holds for every certificate of one bind.

    A client's version and certificate are settled before or apart from the
    name it asks for, so listeners that share a bind must share these.

    Attributes:
        min_version: ``"1.2"`` or ``"1.3"``.
        client_ca: PEM of the CAs whose clients are let in; ``None``: no client
            certificate is asked for.
    """

    min_version: str = "1.2"
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class _Loaded:
    """One certificate, ready for handshakes."""

    certificate: Certificate
    context: ssl.SSLContext


class ServerTls:
    """The TLS side of one bind.

    ``context`` is what a server listens with, and stays the same for good. Each
    handshake then takes the certificate in force from here, by the name asked
    for (RFC 6066 section 3), so that a reload reaches the next handshake and
    leaves open connections alone.

    Attributes:
        context: For ``loop.create_server(ssl=...)``. Holds no certificate itself.
        watched: The files whose change asks for ``reload``.
        seen: Their state before they were first read.
    """

    def __init__(self, files: tuple[CertificateFiles, ...], rules: TlsRules) -> None:
        self._files = files
        self._rules = rules
        self.watched = _watched(files, rules)
        self.seen: Stamps = stamps_of(self.watched)
        self._loaded = _load_all(files, rules)
        self._by_name = _by_name(self._loaded)
        self.context = _context(rules)
        self.context.sni_callback = self._choose

    @classmethod
    def load(cls, files: Sequence[CertificateFiles], rules: TlsRules) -> "ServerTls":
        """Read every file. Blocks.

        Args:
            files: At least one pair; the first is shown to clients that ask for
                no name, or for one that no certificate holds.
            rules: What holds for all of them.

        Raises:
            ConfigurationError: With every file that cannot be served.
        """
        return cls(tuple(files), rules)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that the certificates are read from, in order."""
        return tuple(each.certificate for each in self._files)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The facts of the certificates in force, in the order of the files."""
        return tuple(loaded.certificate for loaded in self._loaded)

    @property
    def shown(self) -> tuple[tuple[Certificate, Path], ...]:
        """The same facts, each with the file that they are from."""
        paths = (files.certificate for files in self._files)
        return tuple(zip(self.certificates, paths, strict=True))

    def reload(self) -> None:
        """Take the files as they are now, if all of them are sound. Blocks.

        May run on any thread: handshakes see either the old or the new.

        Raises:
            ConfigurationError: With every file that cannot be served; what was
                in force stays in force.
        """
        loaded = _load_all(self._files, self._rules)
        self._loaded, self._by_name = loaded, _by_name(loaded)

    def remarks(self, wall: float) -> tuple[Fault, ...]:
        """What an operator should know about the certificates.

        Args:
            wall: Epoch seconds.
        """
        return tuple(
            Fault(str(path), problem)
            for certificate, path in self.shown
            for problem in certificate.oddities(wall)
        )

    def _choose(
        self, handshake: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext
    ) -> None:
        """Called by OpenSSL in every handshake, with or without a name."""
        handshake.context = self._for_name(name) if name else self._loaded[0].context

    def _for_name(self, name: str) -> ssl.SSLContext:
        """An exact name wins; a wildcard stands for one label (RFC 9525 section 6.3)."""
        name = name.lower().removesuffix(".")
        exact = self._by_name.get(name)
        if exact is not None:
            return exact
        _, dot, parent = name.partition(".")
        return self._by_name.get(f"*{dot}{parent}", self._loaded[0].context)


def _context(rules: TlsRules) -> ssl.SSLContext:
    """A context by the rules, without a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[rules.min_version]
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    if rules.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        # A resumed session is not verified again: a client whose certificate
        # ran out, or whose CA was taken out, would come in for hours more. The
        # session ids of TLS 1.2 cannot be turned off through `ssl`: where two
        # hours of that are too much, `min_version` is 1.3.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


def _load_all(files: Sequence[CertificateFiles], rules: TlsRules) -> tuple[_Loaded, ...]:
    loaded: list[_Loaded] = []
    faults: list[Fault] = []
    for pair in files:
        try:
            loaded.append(_load(pair, rules))
        except ConfigurationError as exc:
            faults.extend(fault for fault in exc.faults if fault not in faults)
    if faults:
        raise ConfigurationError(*faults)
    return tuple(loaded)


def _load(files: CertificateFiles, rules: TlsRules) -> _Loaded:
    before = _read_pair(files)
    certificate = read_certificate(before[0], str(files.certificate))
    open_to_all = exposed([files.private_key])
    if open_to_all:
        raise ConfigurationError(*open_to_all)
    context = _context(rules)
    _load_pair(context, files)
    if rules.client_ca is not None:
        _load_client_ca(context, rules.client_ca)
    # OpenSSL has read the files once more: they must still be the same ones.
    if before != _read_pair(files):
        raise ConfigurationError(Fault(str(files.certificate), "changed while it was being read"))
    return _Loaded(certificate, context)


def _by_name(loaded: tuple[_Loaded, ...]) -> dict[str, ssl.SSLContext]:
    """Contexts by name; of two certificates for a name, the first in file order."""
    return {name: each.context for each in reversed(loaded) for name in each.certificate.names}


def _read_pair(files: CertificateFiles) -> tuple[bytes, bytes]:
    certificate = read_file(files.certificate, MOST_OF_PEM)
    return certificate, read_file(files.private_key, MOST_OF_PEM)


def _load_pair(context: ssl.SSLContext, files: CertificateFiles) -> None:
    try:
        context.load_cert_chain(files.certificate, files.private_key, password=_refuse_password)
    except _EncryptedKey as exc:
        problem = "is encrypted, and nobody is there to type its passphrase: store it decrypted"
        raise ConfigurationError(Fault(str(files.private_key), problem)) from exc
    except ssl.SSLError as exc:
        raise ConfigurationError(_pair_fault(files, exc.reason)) from exc


class _EncryptedKey(Exception):
    """OpenSSL asked for a passphrase."""


def _refuse_password() -> str:
    # Without this, OpenSSL would stop and ask on the terminal.
    raise _EncryptedKey


def _pair_fault(files: CertificateFiles, reason: str | None) -> Fault:
    """OpenSSL's reasons in an operator's words."""
    match reason:
        case "KEY_VALUES_MISMATCH" | "KEY_TYPE_MISMATCH" | "NO_CERTIFICATE_ASSIGNED":
            problem = f"is not the key of the certificate in {files.certificate}"
            return Fault(str(files.private_key), problem)
        case "EE_KEY_TOO_SMALL" | "CA_KEY_TOO_SMALL" | "CA_MD_TOO_WEAK":
            problem = "is too weak: RSA needs 2048 bits or more, and signatures SHA-256"
            return Fault(str(files.certificate), problem)
        case _:
            return Fault(str(files.private_key), "holds no private key in PEM, or a broken one")


def _load_client_ca(context: ssl.SSLContext, path: Path) -> None:
    pem = read_file(path, MOST_OF_PEM)
    read_certificate(pem, str(path))
    try:
        # Names of CAs stand between the certificates, in any alphabet.
        context.load_verify_locations(cadata=pem.decode("ascii", "ignore"))
    except ssl.SSLError as exc:
        raise ConfigurationError(Fault(str(path), "holds a broken certificate")) from exc


def _watched(files: Sequence[CertificateFiles], rules: TlsRules) -> tuple[Path, ...]:
    paths = [path for pair in files for path in (pair.certificate, pair.private_key)]
    if rules.client_ca is not None:
        paths.append(rules.client_ca)
    return tuple(dict.fromkeys(paths))
