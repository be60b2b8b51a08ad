"""Programs that would fetch something from the internet, or take minutes.

    python -m tests.docs.played pip|make|npm|npx ARGUMENTS...

They look whether what they are asked for is there, and exit 1 if not.
"""

import json
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tests.docs import background
from tests.docs.pages import ROOT
from tests.lab import copilot


def pip(*arguments: str) -> str:
    """What ``pip install`` would miss."""
    verb, *rest = arguments
    if verb != "install":
        return f"pip {verb} is not played"
    wanted = [word for word in rest if not word.startswith("-")]
    return "; ".join(filter(None, map(_missing, wanted)))


def _missing(requirement: str) -> str:
    if requirement.startswith("."):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        named = re.findall(r"[\w-]+", requirement.partition("[")[2])
        return ", ".join(name for name in named if name not in project["optional-dependencies"])
    if Path(requirement).exists():
        return ""
    name = re.split(r"[\[<>=~!]", requirement)[0]
    try:
        distribution(name)
    except PackageNotFoundError:
        return f"no test uses {name}: add it to the extra dev, or mark the block"
    return ""


def make(*arguments: str) -> str:
    """``make serve`` starts the gateway; of what takes minutes only the target is looked for."""
    targets = [word for word in arguments if "=" not in word]
    known = re.findall(r"(?m)^([a-z][\w-]*):", (ROOT / "Makefile").read_text())
    if unknown := set(targets) - set(known):
        return f"no target {', '.join(unknown)}"
    if targets != ["serve"]:
        return ""
    return _serve()


def _serve() -> str:
    command = [sys.executable, "-m", "pyproxy", "serve", "--dev"]
    return "" if background.start("pyproxy", command, "listener.ready") == 0 else "did not start"


def npm(*arguments: str) -> str:
    """What ``npm install`` would miss of what the lab has."""
    known = json.loads((copilot.HERE / "package.json").read_text())["dependencies"]
    verb, *rest = arguments
    if verb not in {"install", "i"}:
        return f"npm {verb} is not played"
    wanted = [word for word in rest if not word.startswith("-")]
    return ", ".join(word for word in wanted if not _is_known(word, known))


def _is_known(word: str, known: dict[str, str]) -> bool:
    name, _, version = word.rpartition("@") if "@" in word[1:] else (word, "", "")
    return known.get(name) in ({version} if version else set(known.values()))


def npx(*arguments: str) -> str:
    """Look for the package, and start the lab's copilot-api where a page does."""
    words = [word for word in arguments if not word.startswith("-")]
    if problem := npm("install", words[0]):
        return problem
    if words[0].startswith("copilot-api@") and words[1] == "start":
        return "" if (background.notes() / "copilot-api").exists() else "no lab is on this stage"
    return f"npx {words[0]} is not played"


if __name__ == "__main__":
    program = {"pip": pip, "make": make, "npm": npm, "npx": npx}[sys.argv[1]]
    if trouble := program(*sys.argv[2:]):
        sys.exit(f"{sys.argv[1]}: {trouble}")
