"""pyproxy: TLS, identity, rate limit, security headers, audit and access log; one worker."""

import subprocess
from pathlib import Path

from bench.contenders.contender import Contender, Missing, Setting
from bench.credentials import AUDIENCE, ISSUER
from bench.stage import free_port

NAME = "pyproxy"


def start(setting: Setting, program: Path, workers: int = 1) -> Contender:
    """Serve with a project's own program; several workers have all CPUs, one has its own.

    Raises:
        Missing: There is no such program.
        NotStarted: It refuses to serve, or not so many workers.
    """
    if not program.exists():
        raise Missing(f"{program} is not there: 'make bench' installs the project first")
    stage, port = setting.stage, free_port()
    file = stage.folder / "pyproxy.toml"
    file.write_text(_configuration(setting, port, workers))
    command = [str(program), "serve", "--config", str(file)]
    cpus = stage.measured_cpu if workers == 1 else stage.all_cpus
    stage.start(NAME, command, port, cpus)
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    return Contender(NAME, " ".join(said.split()[:2]), port, (NAME,), setting.credentials.by_kind)


def _configuration(setting: Setting, port: int, workers: int) -> str:
    credentials = setting.credentials
    return f"""
[server]
workers = {workers}
admin = ""
max_body = "1GB"

[[listeners]]
bind = "127.0.0.1:{port}"
certificate = "{credentials.certificate}"
private_key = "{credentials.private_key}"

[auth]
keys_file = "{credentials.keys}"

[auth.jwt]
jwks_file = "{credentials.key_set}"
audience = "{AUDIENCE}"
issuer = "{ISSUER}"

[rate_limits.api]
rate = "1000000r/s"
burst = 1000000

[[routes]]
name = "origin"
path = "/"
upstream = "http://127.0.0.1:{setting.origin}"
"""
