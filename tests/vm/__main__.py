"""Installs pyproxy on a machine, boots it, and does what docs/deploy/vm.md says one may do.

Wants root, systemd-nspawn and debootstrap (Debian's packages systemd-container and
debootstrap), and two minutes; the first time some more, for the machine. Not among the tests
of `make test` for that.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.vm.machine import Machine, machine

CA = ("--cacert", "/etc/pyproxy/certs/ca.crt")
PORT = 443
CLIENTS = 4  # of load.py
HEALTH = f"https://localhost:{PORT}/health"
MODELS = f"https://localhost:{PORT}/v1/models"
UNITS = ("pyproxy.service", "pyproxy.socket")
UPSTREAM = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", 4141), Answer).serve_forever()
"""
STEPS: list[Callable[["Machine"], None]] = []


def step(done: Callable[[Machine], None]) -> Callable[[Machine], None]:
    STEPS.append(done)
    return done


def shown(here: Machine, name: str) -> str:
    return here.run("systemctl", "show", "-P", name, "pyproxy.service").strip()


def code(here: Machine, *options: str) -> str:
    return here.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *CA, *options)


def release(here: Machine) -> str:
    return here.run("readlink", "/opt/pyproxy/venv").strip()


def its_status(here: Machine) -> dict[str, str]:
    text = here.run("cat", f"/proc/{shown(here, 'MainPID')}/status")
    return {name: value.strip() for name, _, value in (x.partition(":") for x in text.split("\n"))}


@step
def it_serves_a_low_port_under_its_unit(here: Machine) -> None:
    assert code(here, HEALTH) == "200"
    assert shown(here, "StatusText") == f"Serving 0.0.0.0:{PORT} with 1 worker"
    status = its_status(here)
    assert status["CapBnd"] == status["CapEff"] == "0" * 16
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Uid"].split()[0] == here.run("id", "-u", "pyproxy").strip()
    security = here.run("systemd-analyze", "security", "--no-pager", "pyproxy.service")
    print("    " + security.strip().split("\n")[-1])
    here.run("systemd-analyze", "verify", *(f"/etc/systemd/system/{unit}" for unit in UNITS))


@step
def memory_that_is_written_is_not_executed_and_what_it_need_not_write_it_cannot(
    here: Machine,
) -> None:
    probe = "import mmap; mmap.mmap(-1, 1, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)"
    unit = here.run("systemctl", "cat", "pyproxy.service").split("ExecStart=")[1].split("\n")
    properties = [
        f"-p{line}" for line in unit if "=" in line and line.startswith(("Memory", "Protect", "Sy"))
    ]
    alike = ("systemd-run", "--quiet", "--wait", "--pipe", "-pUser=pyproxy", *properties)
    python = "/opt/pyproxy/venv/bin/python"
    assert "PermissionError" in here.run(*alike, python, "-c", probe, code=1)
    assert "Read-only" in here.run(*alike, "/bin/sh", "-c", "exec touch /var/tmp/x /opt/x", code=1)


@step
def keys_work_bcrypt_and_names_too(here: Machine) -> None:
    key = here.run("sh", "-c", "pyproxy keys new alice 2>/dev/null").strip()
    here.run("sh", "-c", "printf a-bcrypt-key-0123456789 | pyproxy keys hash > /tmp/hash")
    here.run("sh", "-c", "sed s/^/carol:/ /tmp/hash >> /etc/pyproxy/api_keys.txt")
    config = here.root / "etc/pyproxy/pyproxy.toml"
    text = config.read_text().replace(
        '#upstream = "http://127.0.0.1:4141"', 'upstream = "http://upstream.internal:4141"'
    )
    config.write_text(text)
    here.run("systemctl", "reload", "pyproxy.service")
    for each in (key, "a-bcrypt-key-0123456789"):
        bearer = f"Authorization: Bearer {each}"
        here.until("200", "curl", "-s", "-w", " %{http_code}", *CA, "-H", bearer, MODELS)
    token = here.run("curl", "-s", *CA, "-X", "POST", "-H", f"Authorization: Bearer {key}",
                     HEALTH.replace("health", "token"))  # fmt: skip
    assert code(here, "-H", f"Authorization: Bearer {json.loads(token)['token']}", MODELS) == "200"
    assert code(here, MODELS) == "401"
    assert '"event":"auth.ok"' in here.run("cat", "/var/log/pyproxy/audit.log").replace(" ", "")


@step
def a_reload_with_a_fault_keeps_the_old_one_in_force_and_says_so(here: Machine) -> None:
    config = here.root / "etc/pyproxy/pyproxy.toml"
    sound = config.read_text()
    config.write_text("nonsense = 1\n" + sound)
    here.run("systemctl", "reload", "pyproxy.service")
    here.until("the old configuration stays", "systemctl", "status", "--no-pager", UNITS[0])
    assert code(here, HEALTH) == "200"
    config.write_text(sound)
    here.run("systemctl", "reload", "pyproxy.service")


@step
def a_restart_and_an_upgrade_under_load_refuse_nobody(here: Machine) -> None:
    before = release(here)
    load = here.begin("python3", "/src/tests/vm/load.py", str(PORT))
    assert load.stdout is not None
    assert load.stdout.readline() == "asking\n"
    here.run("systemctl", "restart", "pyproxy.service")
    said = here.install()
    here.run("pkill", "-f", "vm/load.py")
    result = json.loads(load.stdout.read())
    load.wait()

    print(f"    {result}")
    # Whoever is accepted and has yet to ask when the old process drains may be cut off; nobody
    # is refused.
    assert len(result["failed"]) <= 2 * CLIENTS
    assert not [each for each in result["failed"] if "Refused" in each]
    # The limit `health` answers too; what counts is that everybody was answered.
    assert set(result["codes"]) <= {200, 429}
    assert release(here) != before
    assert "pyp_" not in said
    # The limit had enough of it.
    here.until("200", "curl", "-s", "-w", " %{http_code}", *CA, HEALTH)


@step
def a_version_that_does_not_serve_is_taken_back(here: Machine) -> None:
    before = release(here)
    here.run("sh", "-c", "cp -r /src /broken && echo 'raise OSError(\"broken\")' >> "
             "/broken/src/pyproxy/runtime/serving.py")  # fmt: skip
    said = here.run("/broken/deploy/install.sh", code=1)

    assert "the new version does not serve" in said
    assert release(here) == before
    assert code(here, HEALTH) == "200"


@step
def a_configuration_that_is_not_sound_keeps_the_old_version(here: Machine) -> None:
    before = release(here)
    config = here.root / "etc/pyproxy/pyproxy.toml"
    sound = config.read_text()
    config.write_text("nonsense = 1\n" + sound)
    said = here.install(code=1)
    config.write_text(sound)

    assert "nonsense" in said
    assert release(here) == before
    assert shown(here, "ActiveState") == "active"


@step
def one_may_go_back(here: Machine) -> None:
    before = release(here)
    here.install()
    here.install("--rollback")

    assert release(here) == before
    assert code(here, HEALTH) == "200"


@step
def a_main_process_that_hangs_is_replaced(here: Machine) -> None:
    pid = shown(here, "MainPID")
    here.run("systemctl", "kill", "--kill-who=main", "--signal=STOP", "pyproxy.service")
    here.until("1", "systemctl", "show", "-P", "NRestarts", "pyproxy.service")
    here.until("active", "systemctl", "show", "-P", "ActiveState", "pyproxy.service")
    assert shown(here, "MainPID") != pid
    assert code(here, HEALTH) == "200"


@step
def uninstalling_keeps_what_is_the_operators(here: Machine) -> None:
    here.install("--uninstall")
    assert (here.root / "etc/pyproxy/pyproxy.toml").exists()
    assert not (here.root / "opt/pyproxy").exists()
    here.install("--uninstall", "--purge")
    folders = "/etc/pyproxy /var/lib/pyproxy /var/log/pyproxy /usr/local/bin/pyproxy"
    files = "/etc/systemd/system/pyproxy* /etc/logrotate.d/pyproxy"
    left = here.run("sh", "-c", f"ls -d {folders} {files} 2>/dev/null || true")
    assert left == ""
    here.run("id", "pyproxy", code=1)


@step
def the_way_out_of_a_cluster_is_installed_too(here: Machine) -> None:
    said = here.install("--egress", "--listen", "127.0.0.1:8080", "--allow", "127.0.0.0/8")
    [secret] = [line for line in said.split("\n") if len(line) == 64 and " " not in line]
    url = "http://127.0.0.1:8080/openai/v1/models"
    assert code(here, "http://127.0.0.1:8080/health") == "200"
    assert code(here, url) in {"401", "403"}
    # There is no way to the API from here: it was let in.
    assert code(here, "-H", f"X-Proxy-Token: {secret}", url) in {"502", "504"}


def main() -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as here:
        said = here.install("--listen", f"0.0.0.0:{PORT}", "--host", "gateway.internal")
        print(f"installed, off ({time.monotonic() - began:.0f} s)", flush=True)
        assert "systemd does not run here" in said
        assert "pyp_" in said
        again = here.install()
        assert "pyp_" not in again, "a second run made a key"
        with here.on():
            here.until("active", "systemctl", "show", "-P", "ActiveState", UNITS[0])
            here.begin("python3", "-c", UPSTREAM)
            for each in STEPS:
                print(f"- {each.__name__.replace('_', ' ')}", flush=True)
                each(here)
    print(f"all well, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
