"""The images, built once. Only `make image-test` looks in here: it takes minutes."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.image import bases
from tests.image.container import Container
from tests.image.engine import find

collect_ignore_glob = [] if os.environ.get("PYPROXY_IMAGE_TEST") else ["test_*"]

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
NOBODY = 65532
GITHUB_TOKEN = "ghu_lab_token"
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
    """Build an image of ours and lay it out; where there is no engine, on stand-ins."""

    def built_(tag, file, build, run, *options):
        bases_of = dict(line[4:].split("=", 1) for line in _arguments(file))
        if engine.is_buildah:
            bases.make(engine)
            bases_of = {"BUILD_IMAGE": build, "RUNTIME_IMAGE": run}
        arguments = [f"--build-arg={name}={value}" for name, value in bases_of.items()]
        engine.build(tag, *arguments, *options, file=file)
        return engine.image(tag, bases_of["RUNTIME_IMAGE"])

    return built_


def _arguments(file):
    lines = (ROOT / file).read_text().splitlines()
    return [line for line in lines if line.startswith(("ARG BUILD_IMAGE=", "ARG RUNTIME_IMAGE="))]


@pytest.fixture(scope="session")
def gateway_image(built):
    return built("localhost/pyproxy-test", "Containerfile", bases.DEBIAN, bases.PYTHON)


@pytest.fixture(scope="session")
def copilot_image(built):
    file = "deploy/copilot-api.Containerfile"
    return built(
        "localhost/copilot-api-test", file, bases.NODE_BUILD, bases.NODE_RUN, "--target=npm"
    )


@pytest.fixture(scope="session")
def network(gateway_image, copilot_image):  # noqa: ARG001 - built while there is a way out
    """From here on this process and its children are alone on a loopback of their own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@pytest.fixture
def volume(tmp_path):
    """A folder in the place of a named volume: it begins as the image's own one."""

    def volume_(name, owner=NOBODY, mode=0o2770):
        path = tmp_path / name
        path.mkdir()
        path.chmod(mode)
        shutil.chown(path, owner, NOBODY)
        return path

    return volume_


@pytest.fixture
def hosts(tmp_path):
    """What the containers take their names from."""
    path = tmp_path / "hosts"
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
