"""What builds images here: Docker or Podman where one of them runs, else buildah with chroot.

Buildah needs no engine and no registry: the bases it builds on are stand-ins, made by
``bases.py``. Either way the tests get a folder with what is in an image, and what it says
of itself.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
STORAGE = """[storage]
driver = "{driver}"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""


@dataclass(frozen=True)
class Image:
    """An image, laid out.

    Attributes:
        files: Folder with its root file system, to look at.
        root: Another, to run it in: mount points are made there.
        base: The same of the image it was built on.
        user, working, entrypoint, command, stop_signal: As the image says.
        environment: What it sets.
        labels: Its labels.
        health: The health check's command.
        history: How each layer came to be.
    """

    files: Path
    root: Path
    base: Path
    user: str
    working: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    health: tuple[str, ...]
    stop_signal: str
    history: str

    @property
    def ids(self) -> tuple[int, int]:
        """User and group that it runs as."""
        user, _, group = self.user.partition(":")
        return int(user), int(group or user)


@dataclass
class Engine:
    """Builds an image and lays it out.

    Attributes:
        program: ``docker`` or ``podman``, or ``buildah``.
        cache: Folder that outlives a run: stand-ins, and buildah's images.
        taken: What is to be taken away at the end.
    """

    program: str
    cache: Path
    taken: list[Sequence[str]] = field(default_factory=list)

    @property
    def is_buildah(self) -> bool:
        return self.program == "buildah"

    def build(self, tag: str, *options: str, context: Path = ROOT, file: str = "") -> None:
        """Build and tag; raises with what was written if that fails."""
        how = ["bud", "--isolation", "chroot", "--format", "docker", "--layers"]
        command = how if self.is_buildah else ["build"]
        self.run(*command, *options, "-f", file or "Containerfile", "-t", tag, ".", folder=context)

    def image(self, tag: str, base: str) -> Image:
        """Lay an image and its base out."""
        said = json.loads(self.run("inspect", "--type", "image", tag))
        whole = said if self.is_buildah else said[0]
        of = whole["Docker"]["config"] if self.is_buildah else whole["Config"]
        history = whole["Docker"]["history"] if self.is_buildah else self.run("history", tag)
        return Image(
            files=self.files(tag),
            root=self.files(tag),
            base=self.files(base),
            user=of["User"],
            working=of["WorkingDir"],
            entrypoint=tuple(of.get("Entrypoint") or ()),
            command=tuple(of.get("Cmd") or ()),
            environment=dict(each.split("=", 1) for each in of["Env"]),
            labels=of["Labels"],
            health=tuple(of["Healthcheck"]["Test"]),
            stop_signal=of["StopSignal"],
            history=json.dumps(history),
        )

    def files(self, tag: str) -> Path:
        """A folder with the image's root file system."""
        if self.is_buildah:
            name = self.run("from", "--pull-never", tag).strip()
            self.taken.append(("rm", name))
            return Path(self.run("mount", name).strip())
        name = self.run("create", tag, "nothing").strip()
        self.taken.append(("rm", name))
        folder = self.cache / "laid-out" / name.strip()
        folder.mkdir(parents=True)
        archive = folder.with_suffix(".tar")
        self.run("export", "--output", str(archive), name)
        subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
        archive.unlink()
        return folder

    def run(self, *arguments: str, folder: Path = ROOT) -> str:
        """One command of the program's; what it writes to standard output."""
        done = subprocess.run(
            [self.program, *arguments],
            cwd=folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
            raise RuntimeError(f"{self.program} {arguments[0]}: {done.returncode}\n{said}")
        return done.stdout

    def close(self) -> None:
        """Take away what was laid out."""
        for command in self.taken:
            self.run(*command)
        shutil.rmtree(self.cache / "laid-out", ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        if not self.is_buildah:
            return {**os.environ, "DOCKER_BUILDKIT": "1"}
        settings = self.cache / "storage.conf"
        if not settings.exists():
            driver = "overlay" if _can_overlay(self.cache) else "vfs"
            settings.write_text(STORAGE.format(driver=driver, folder=self.cache))
        ours = {"CONTAINERS_STORAGE_CONF": str(settings), "BUILDAH_ISOLATION": "chroot"}
        return {**os.environ, **ours}


def find(cache: Path) -> Engine | None:
    """Whatever can build here."""
    for program in ("docker", "podman"):
        if shutil.which(program) and _runs(program):
            return Engine(program, cache)
    return Engine("buildah", cache) if shutil.which("buildah") else None


def _runs(program: str) -> bool:
    """Whether it can start a container, which a mere client cannot."""
    probe = [program, "info"]
    if program == "podman":
        probe = [program, "run", "--rm", "--network", "none", "--rootfs", "/", "/bin/true"]
    return not subprocess.run(probe, capture_output=True, check=False).returncode


def _can_overlay(folder: Path) -> bool:
    """Whether layers can lie upon each other here; where not, each is a copy of all before it."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        for part in ("lower", "upper", "work", "merged"):
            (Path(name) / part).mkdir()
        options = f"lowerdir={name}/lower,upperdir={name}/upper,workdir={name}/work"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, f"{name}/merged"]
        command = ["unshare", "--mount", *mount]
        return not subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode
