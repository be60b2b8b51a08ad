"""The images, built once. Only `make image-test` looks in here: it takes minutes."""

import ctypes
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.image import bases
from tests.image.container import Container
from tests.image.engine import find

collect_ignore_glob = [] if os.environ.get("PYPROXY_IMAGE_TEST") else ["test_*"]

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
NOBODY = 65532
GITHUB_TOKEN = "ghu_lab_token"
IMAGES = {
    "pyproxy": ("Containerfile", bases.DEBIAN, bases.PYTHON),
    "copilot-api": (
        "deploy/copilot-api.Containerfile",
        bases.NODE_BUILD,
        bases.NODE_RUN,
        "--target=npm",
    ),
}
HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session")
def engine():
    cache = Path(os.environ.get("PYPROXY_IMAGE_CACHE") or Path.home() / ".cache/pyproxy-images")
    cache.mkdir(parents=True, exist_ok=True)
    found = find(cache)
    if found is None or os.geteuid():
        pytest.fail("needs root, and Docker, Podman, or Debian's buildah and debootstrap")
    yield found
    found.close()


@pytest.fixture(scope="session")
def built(engine):
    """Both images, built side by side and laid out; where there is no engine, on stand-ins."""
    if engine.is_buildah:
        bases.make(engine)
    with ThreadPoolExecutor() as pool:
        return dict(zip(IMAGES, pool.map(lambda name: _built(engine, name), IMAGES), strict=True))


def _built(engine, name):
    file, build, run, *options = IMAGES[name]
    pinned = dict(line[4:].split("=", 1) for line in _arguments(file))
    if engine.is_buildah:
        pinned = {"BUILD_IMAGE": build, "RUNTIME_IMAGE": run}
    arguments = [f"--build-arg={argument}={value}" for argument, value in pinned.items()]
    tag = f"localhost/{name}-test"
    engine.build(tag, *arguments, *options, file=file)
    return engine.image(tag, pinned["RUNTIME_IMAGE"])


def _arguments(file):
    lines = (ROOT / file).read_text().splitlines()
    return [line for line in lines if line.startswith(("ARG BUILD_IMAGE=", "ARG RUNTIME_IMAGE="))]


@pytest.fixture(scope="session")
def gateway_image(built):
    return built["pyproxy"]


@pytest.fixture(scope="session")
def copilot_image(built):
    return built["copilot-api"]


@pytest.fixture(scope="session")
def network(built):  # noqa: ARG001
    """From here on this process and its children are alone on a loopback of their own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A new folder each time."""
    return lambda: tmp_path_factory.mktemp("containers")


@pytest.fixture(scope="session")
def volume(folders):
    """A folder in the place of a named volume: it begins as the image's own one."""

    def volume_(name, owner=NOBODY, mode=0o2770):
        path = folders() / name
        path.mkdir()
        path.chmod(mode)
        shutil.chown(path, owner, NOBODY)
        return path

    return volume_


@pytest.fixture(scope="session")
def hosts(folders):
    """What the containers take their names from."""
    path = folders() / "hosts"
    path.write_text("127.0.0.1 localhost gateway copilot-api\n")
    return path


@pytest.fixture
def compose(gateway_image, volume, hosts):
    """The containers `setup` and `gateway`, as compose.yaml has them."""

    class Compose:
        certs, state, admin = volume("certs"), volume("state"), volume("admin")

        def setup(self, *secrets, user=(NOBODY, NOBODY)):
            binds = [
                (ROOT / "deploy/compose/setup.py", "/setup.py", False),
                (self.certs, "/certs", True),
                (self.state, "/var/lib/pyproxy", True),
                (self.admin, "/admin", True),
                *((secret, f"/run/secrets/{secret.name}", False) for secret in secrets),
            ]
            start = ("/opt/pyproxy/bin/python", "/setup.py")
            return Container(gateway_image, binds, user=user).run("", entrypoint=start)

        def gateway(self, **environment):
            binds = [
                (ROOT / "deploy/compose/gateway", "/etc/pyproxy", False),
                (self.certs, "/certs", False),
                (self.state, "/var/lib/pyproxy", True),
                (self.admin, "/admin", False),
                (hosts, "/etc/hosts", False),
            ]
            own = {
                "JWT_SIGNING_KEYS": "/var/lib/pyproxy/signing_keys.json",
                "ADMIN_TOKEN_FILE": "/admin/token",
                "KEYS_FILE": "",
            }
            return Container(gateway_image, binds, own | environment)

    return Compose()
