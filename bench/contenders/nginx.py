"""nginx, with the authentication service that pyproxy replaces, and bare.

With: TLS, auth_request to a FastAPI service under uvicorn, limit_req, security headers.
Bare: TLS and proxy_pass alone, nobody is asked who they are: the practical limit.
"""

import shutil
import subprocess
from pathlib import Path

from bench.contenders.contender import Contender, Missing, Setting
from bench.credentials import AUDIENCE, ISSUER
from bench.stage import free_port

WITH_VERIFIER, BARE = "nginx-verifier", "nginx-bare"
_VERIFIER = "verifier"


def start_with_verifier(setting: Setting) -> Contender:
    """The set-up that pyproxy replaces.

    Raises:
        Missing: nginx, or the virtual environment of the peers.
    """
    _demand_nginx()
    python = setting.peers / "bin" / "python"
    if not python.exists():
        raise Missing(f"{setting.peers} is not there: 'make bench' creates it")
    verifier = free_port()
    setting.stage.start(
        _VERIFIER,
        [
            str(python), "-m", "uvicorn", "--app-dir", str(Path(__file__).parent.parent),
            "verifier:app", "--port", str(verifier), "--no-access-log",
        ],
        verifier,
        setting.stage.measured_cpu,
        {
            "VERIFIER_FOLDER": str(setting.stage.folder),
            "VERIFIER_AUDIENCE": AUDIENCE,
            "VERIFIER_ISSUER": ISSUER,
        },
    )  # fmt: skip
    port = _serve(setting, WITH_VERIFIER, verifier)
    return Contender(
        WITH_VERIFIER, _version(), port, (WITH_VERIFIER, _VERIFIER), setting.credentials.by_kind
    )


def start_bare(setting: Setting) -> Contender:
    """As fast as it gets.

    Raises:
        Missing: nginx.
    """
    _demand_nginx()
    port = _serve(setting, BARE, None)
    by_kind = setting.credentials.by_kind
    return Contender(BARE, _version(), port, (BARE,), by_kind, is_guarded=False)


def _demand_nginx() -> None:
    if shutil.which("nginx") is None:
        raise Missing("nginx is not installed; on Debian: apt-get install nginx")


def _version() -> str:
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition(": ")[2].replace("/", " ")


def _serve(setting: Setting, name: str, verifier: int | None) -> int:
    stage, port = setting.stage, free_port()
    file = stage.folder / f"{name}.conf"
    file.write_text(_configuration(setting, name, port, verifier))
    stage.start(name, ["nginx", "-c", str(file)], port, stage.measured_cpu)
    return port


def _configuration(setting: Setting, name: str, port: int, verifier: int | None) -> str:
    credentials = setting.credentials
    here = setting.stage.folder / name
    guard = "" if verifier is None else _GUARD
    return f"""
worker_processes 1; daemon off; pid {here}.pid; error_log {here}.err;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 10000000; client_max_body_size 1g;
  client_body_temp_path {here}-body; proxy_temp_path {here}-proxy;
  limit_req_zone $binary_remote_addr zone=api:10m rate=1000000r/s;
  upstream origin {{
    server 127.0.0.1:{setting.origin}; keepalive 256; keepalive_requests 10000000;
  }}
  {_verifier_block(verifier)}
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {credentials.certificate}; ssl_certificate_key {credentials.private_key};
    ssl_protocols TLSv1.2 TLSv1.3;
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains; preload" always;
    add_header X-Frame-Options DENY always; add_header X-Content-Type-Options nosniff always;
    add_header Referrer-Policy strict-origin-when-cross-origin always;
    {_VERIFY if guard else ""}
    location / {{ {guard} {_ONWARD} }}
    location = /count {{ {guard} {_ONWARD} proxy_request_buffering off; }}
  }}
}}"""


_ONWARD = """
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
"""
_GUARD = "auth_request /_verify; limit_req zone=api burst=100000 nodelay;"
_VERIFY = """
    location = /_verify {
      internal; proxy_pass http://verifier/verify; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header Authorization $http_authorization;
      proxy_http_version 1.1; proxy_set_header Connection "";
    }"""


def _verifier_block(port: int | None) -> str:
    if port is None:
        return ""
    return (
        f"upstream verifier {{ server 127.0.0.1:{port}; keepalive 64; "
        "keepalive_requests 10000000; }"
    )
