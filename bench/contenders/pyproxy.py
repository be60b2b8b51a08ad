"""pyproxy: TLS, identity, rate limit, security headers, audit and access log; one worker."""

import subprocess
from dataclasses import replace
from pathlib import Path

from bench.contenders.contender import Contender, Missing, Setting
from bench.credentials import AUDIENCE, ISSUER, PLAIN_KEY
from bench.origin import GUARDED, KEY
from bench.stage import free_port

NAME, PROVIDER = "pyproxy", "pyproxy-provider"
_GENERIC = """
[[routes]]
name = "origin"
path = "/"
upstream = "http://127.0.0.1:{port}"
"""
_OPENAI = """
[[routes]]
name = "openai"
path = "/openai"
provider = "openai"
upstream = "http://127.0.0.1:{port}{base}"
"""


def start(setting: Setting, program: Path, workers: int = 1) -> Contender:
    """Serve with a project's own program; several workers have all CPUs, one has its own.

    Raises:
        Missing: There is no such program.
        NotStarted: It refuses to serve, or not so many workers.
    """
    route = _GENERIC.format(port=setting.origin)
    accepts = setting.credentials.by_kind | {"sdk": PLAIN_KEY}
    return _serve(
        setting, program, workers, Contender(NAME, "", free_port(), (NAME,), accepts), route
    )


def start_provider(setting: Setting, program: Path) -> Contender:
    """Likewise a provider's route, which has the origin's key put into every request.

    Raises:
        Missing: There is no such program.
        NotStarted: It refuses to serve.
    """
    contender = Contender(
        PROVIDER, "", free_port(), (PROVIDER,), {"sdk": PLAIN_KEY}, path="/openai/chat/completions"
    )
    return _serve(setting, program, 1, contender, _OPENAI.format(port=setting.origin, base=GUARDED))


def _serve(
    setting: Setting, program: Path, workers: int, contender: Contender, route: str
) -> Contender:
    """The contender, which serves, with its version."""
    if not program.exists():
        raise Missing(f"{program} is not there: 'make bench' installs the project first")
    stage, name = setting.stage, contender.name
    file = stage.folder / f"{name}.toml"
    file.write_text(_configuration(setting, contender.port, workers) + route)
    command = [str(program), "serve", "--config", str(file)]
    cpus = stage.measured_cpu if workers == 1 else stage.all_cpus
    stage.start(name, command, contender.port, cpus, {"OPENAI_API_KEY": KEY})
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    return replace(contender, version=" ".join(said.split()[:2]))


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
"""
