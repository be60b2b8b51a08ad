"""A folder that looks like a fresh clone in which pyproxy is installed.

Its ``.venv/bin`` stands first on the PATH and has what its reader has installed. What would
go to the internet or take minutes is played there: ``pip`` and ``npm`` look whether the tests
have what they are asked for, ``make`` whether it knows the target.
"""

import shlex
import shutil
import sys
from pathlib import Path

from tests.docs.pages import ROOT
from tests.lab import copilot
from tests.lab.gateway import COMMAND

NOTES = ".notes"
COPIED = ("deploy",)
LEFT_OUT = {".git", ".venv", "certs", ".env", "pyproxy.toml", *COPIED}
MODULES = copilot.HERE / "node_modules"
AGENTS = {
    "claude": MODULES / "@anthropic-ai" / "claude-code" / "cli-wrapper.cjs",
    "codex": MODULES / "@openai" / "codex" / "bin" / "codex.js",
}
PLAYED = ("pip", "make", "npm", "npx")
# The gateway's own environment, and nobody else's, says where the stand-ins are.
PYPROXY = """#!/bin/sh
case "$1 $*" in
  serve*) exec {python} -m tests.docs.background pyproxy {command} "$@" ;;
  "check "*--client*) exec {command} "$@" ;;
  check*|health*|explain*) exec {python} -m tests.docs.background as-gateway {command} "$@" ;;
esac
exec {command} "$@"
"""


def furnish(folder: Path) -> None:
    """Make the folder."""
    (folder / NOTES).mkdir()
    (folder / "home").mkdir()
    (folder / "home" / ".curlrc").write_text("silent\nshow-error\n")
    (folder / "certs").mkdir()
    private = (".", "jwks", "signing", "api_keys")
    for path in ROOT.iterdir():
        if path.name not in LEFT_OUT and not path.name.startswith(private):
            (folder / path.name).symlink_to(path)
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").touch()
    python = shlex.quote(sys.executable)
    _write(programs / "pyproxy", PYPROXY.format(python=python, command=shlex.join(COMMAND)))
    for name in ("python", "python3"):
        _write(programs / name, f'#!/bin/sh\nexec {python} "$@"\n')
    for name in PLAYED:
        _write(programs / name, f'#!/bin/sh\nexec {python} -m tests.docs.played {name} "$@"\n')
    for name, program in AGENTS.items():
        _write(programs / name, f'#!/bin/sh\nexec node {shlex.quote(str(program))} "$@"\n')


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
