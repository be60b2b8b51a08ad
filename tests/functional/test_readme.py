"""What README.md says to type is typed here, word for word."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pyproxy.cli.demonstration_question import GREETING
from pyproxy.cli.main import commands
from tests.lab.gateway import COMMAND, environment, run, serving

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PORT = 5000
CUT = "--- next ---"


def blocks(section, language):
    """The fenced blocks of one section, in order."""
    _, _, rest = README.partition(f"\n## {section}\n")
    text, _, _ = rest.partition("\n## ")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def shell(folder, script):
    """Run a script as a person would paste it; what it printed, block by block."""
    for program in ("bash", "curl"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed")
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [part.strip() for part in done.stdout.split(CUT)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which ``make serve`` was typed, as far as README is concerned."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"port {PORT} is taken")
    where = tmp_path_factory.mktemp("readme")
    with serving(where, "--dev") as (gateway, port):
        assert port == PORT
        (where / "output").write_text(gateway.output())
        yield where


def output(folder):
    return (folder / "output").read_text()


def test_printed_curl_line_works(folder):
    (line,) = [line for line in output(folder).split("\n") if line[:5] == "curl "]

    assert line.startswith(
        "curl --cacert certs/ca.crt https://localhost:5000/v1/chat/completions "
        '-H "Authorization: Bearer pyp_'
    )
    assert GREETING in shell(folder, line)[0]


def test_quick_start_works(folder):
    script = f"echo; echo '{CUT}'\n".join(blocks("Quick start", "sh"))

    _, chat, stream, others = shell(folder, script)
    health, refusal = others.replace("}{", "}\n{").split("\n")

    assert json.loads(chat)["choices"][0]["message"]["content"] == GREETING
    assert stream.endswith("data: [DONE]")
    assert '"content": "20 "' in stream
    assert json.loads(health) == {"status": "ok"}
    assert json.loads(refusal)["error"]["code"] == "missing_token"


def test_second_start_leaves_the_first_ones_files_alone(folder):
    before = (folder / "certs" / "dev.toml").read_bytes()

    second = run(folder, "serve", "--dev")

    assert second.returncode == 2
    assert "127.0.0.1:5000: is taken" in second.stderr
    assert (folder / "certs" / "dev.toml").read_bytes() == before


def test_command_for_more_keys_works(folder):
    told = re.search(r"'(pyproxy keys new NAME -c certs/dev.toml)' makes", output(folder))

    made = run(folder, *told[1].replace("NAME", "bob").split()[1:])

    assert made.stdout.startswith("pyp_")
    assert "bob:sha256:" in (folder / "api_keys.dev").read_text()


def test_sdk_lines_work(folder):
    (exports,) = blocks("With the SDKs", "sh")
    (program,) = blocks("With the SDKs", "python")
    (folder / "ask.py").write_text(program)

    (printed,) = shell(
        folder,
        f"{blocks('Quick start', 'sh')[0]}\n{exports}\n{shlex.quote(sys.executable)} ask.py",
    )

    assert printed == f"{GREETING}\n{GREETING}"


def test_configuration_is_sound(tmp_path):
    (config,) = blocks("In front of copilot-api", "toml")
    (commands,) = blocks("In front of copilot-api", "sh")
    (tmp_path / "pyproxy.toml").write_text(config)
    program = tmp_path / ".venv" / "bin" / "pyproxy"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    *before, last = commands.strip().split("\n")

    (printed,) = shell(tmp_path, "\n".join(before))

    assert last == ".venv/bin/pyproxy serve"
    assert "route copilot" in printed
    assert "http://127.0.0.1:4141 (copilot-api)" in printed


@pytest.mark.parametrize("target", re.findall(r"(?m)^make (\w+)", README))
def test_make_targets_are_there(target):
    assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text())


@pytest.mark.parametrize(
    "link", [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
)
def test_links_lead_somewhere(link):
    path, _, anchor = link.partition("#")
    text = (ROOT / path).read_text(encoding="utf-8") if anchor else ""
    headings = re.findall(r"(?m)^#+ (.+)$", text)

    assert (ROOT / path).exists()
    assert not anchor or anchor in [slug(heading) for heading in headings]


def slug(heading):
    """What GitHub calls the place of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_it_is_a_front_door():
    assert len(README.splitlines()) < 200


def test_every_command_is_named():
    told = set(re.findall(r"`(?:pyproxy )?([a-z]+)[^`]*`", "".join(table("Running it"))))

    assert set(commands.commands) <= told


def table(section):
    """The rows of the tables of one section."""
    _, _, rest = README.partition(f"\n## {section}\n")
    return [line for line in rest.partition("\n## ")[0].split("\n") if line.startswith("| `")]
