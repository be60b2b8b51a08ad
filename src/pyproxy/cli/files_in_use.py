"""Whether the files that a configuration names can be used, as serving would find out."""

from pathlib import Path

from pyproxy.assembly.keys import read_file_entries
from pyproxy.assembly.private_files import private_files
from pyproxy.cli.key_use import lost_routes, unknown_users
from pyproxy.cli.missing_files import missing_files
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.keys_file import parse_plain_keys, weak_keys
from pyproxy.identity.mint import Minter
from pyproxy.runtime.preflight import exposed
from pyproxy.runtime.tls import CertificateFiles, ServerTls, TlsRules


def unusable_files(settings: Settings, wall: float) -> tuple[list[Fault], list[Fault]]:
    """What keeps the gateway from starting, and what is unwise; ``wall`` is epoch seconds."""
    private = private_files(settings)
    missing = missing_files(settings)
    faults: list[Fault] = [*missing.values(), *exposed(private.secret)]
    remarks: list[Fault] = [*exposed(private.hashed)]
    for look in (_certificates, _keys, _key_set, _signing_keys):
        try:
            remarks += look(settings, wall)
        except ConfigurationError as error:
            new = (fault for fault in error.faults if fault.path not in missing)
            faults += (fault for fault in new if fault not in faults)
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
    entries = read_file_entries(path) if path else ()
    remarks = [*weak_keys(entries), *lost_routes(entries, settings.routes)]
    if path and not entries:
        remarks.append(Fault(path, "holds no key; 'pyproxy keys new NAME' adds one"))
    plain = parse_plain_keys((key.reveal() for key in settings.auth.keys), "auth.keys")
    return [*remarks, *unknown_users((*plain, *entries), settings.routes)]


def _key_set(settings: Settings, _: float) -> list[Fault]:
    path = settings.auth.jwt.jwks_file
    if not path:
        return []
    algorithms = settings.auth.jwt.algorithms
    parsed = KeySet.parse(_read(path), algorithms=algorithms, source=path, public_only=False)
    remarks = [Fault(path, str(fault)) for fault in parsed.faults]
    if not parsed.keys:
        remarks.append(Fault(path, "holds no usable key, so no token is good by it"))
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
