"""Whether the files that a configuration names can be used, as serving would find out."""

from pathlib import Path

from pyproxy.assembly.private_files import private_files
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.keys_file import parse_keys_file, weak_keys
from pyproxy.identity.mint import Minter
from pyproxy.runtime.preflight import exposed
from pyproxy.runtime.tls import CertificateFiles, ServerTls, TlsRules


def unusable_files(settings: Settings, wall: float) -> tuple[list[Fault], list[Fault]]:
    """What keeps the gateway from starting, and what is unwise; ``wall`` is epoch seconds."""
    private = private_files(settings)
    faults: list[Fault] = [*exposed(private.secret)]
    remarks: list[Fault] = [*exposed(private.hashed)]
    for look in (_certificates, _keys, _key_set, _signing_keys):
        try:
            remarks += look(settings, wall)
        except ConfigurationError as error:
            faults += (fault for fault in error.faults if fault not in faults)
    return faults, remarks


def _certificates(settings: Settings, wall: float) -> list[Fault]:
    faults: list[Fault] = []
    remarks: list[Fault] = []
    for listener in settings.listeners:
        if not listener.is_tls:
            continue
        files = CertificateFiles(Path(listener.certificate), Path(listener.private_key))
        client_ca = Path(listener.client_ca) if listener.client_ca else None
        try:
            tls = ServerTls.load([files], TlsRules(listener.min_version, client_ca))
        except ConfigurationError as error:
            faults += error.faults
        else:
            remarks += tls.remarks(wall)
    if faults:
        raise ConfigurationError(*faults)
    return remarks


def _keys(settings: Settings, _: float) -> list[Fault]:
    path = settings.auth.keys_file
    return [*weak_keys(parse_keys_file(_read(path).decode(), path))] if path else []


def _key_set(settings: Settings, _: float) -> list[Fault]:
    path = settings.auth.jwt.jwks_file
    if not path:
        return []
    algorithms = settings.auth.jwt.algorithms
    parsed = KeySet.parse(_read(path), algorithms=algorithms, source=path, public_only=False)
    remarks = [Fault(path, str(fault)) for fault in parsed.faults]
    if parsed.has_private_key:
        advice = "holds a private key, which mints; keep it in auth.jwt.signing_keys_file instead"
        remarks.append(Fault(path, advice))
    return remarks


def _signing_keys(settings: Settings, _: float) -> list[Fault]:
    jwt = settings.auth.jwt
    if not jwt.signing_keys_file:
        return []
    minter = Minter.parse(
        _read(jwt.signing_keys_file),
        source=jwt.signing_keys_file,
        algorithms=jwt.algorithms,
        ttl_s=jwt.ttl,
        issuer=jwt.issuer,
        audience=jwt.audience,
    )
    return [Fault(jwt.signing_keys_file, str(fault)) for fault in minter.public.faults]


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise ConfigurationError(Fault(path, problem)) from error
