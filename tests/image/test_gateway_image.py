"""What is in the gateway's image, and what is not."""

import os
import re
import stat
from pathlib import Path

import pytest

from tests.image.container import Container

MOST_BYTES = 150_000_000
NOBODY = 65532
ITS_OWN = {"admin", "certs", "var/lib/pyproxy", "var/lib/pyproxy/api_keys.txt"}
# A command line, a package manager, or what fetches one.
TOOLS = re.compile(
    r"(ba|da|z|a|c|k|tc)?sh|busybox|toybox|env|apt.*|dpkg.*|rpm|apk|pip[0-9.]*|ensurepip|curl|wget|perl.*|gcc|cc|make"
)


def _walk(root):
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            yield str(path.relative_to(root)), path.lstat()


def _size(root):
    return sum(about.st_size for _, about in _walk(root) if stat.S_ISREG(about.st_mode))


def _added(image):
    """What our layers hold: names, and what is known of each."""
    before = dict(_walk(image.base))
    return {
        name: about
        for name, about in _walk(image.files)
        if name not in before or before[name].st_size != about.st_size
    }


def test_it_is_small(gateway_image):
    base, whole = _size(gateway_image.base), _size(gateway_image.files)

    assert whole < MOST_BYTES, f"{base / 1e6:.1f} MB of the base, and {(whole - base) / 1e6:.1f} MB"


def test_it_says_what_it_is_and_how_it_is_run(gateway_image):
    assert gateway_image.user == "65532:65532"
    assert gateway_image.working == "/var/lib/pyproxy"
    assert gateway_image.entrypoint == ("/opt/pyproxy/bin/pyproxy",)
    assert gateway_image.command == ("serve",)
    assert gateway_image.health == ("CMD", "/opt/pyproxy/bin/pyproxy", "health")
    assert gateway_image.stop_signal == "SIGTERM"
    assert gateway_image.environment["PYPROXY_CONFIG"] == "/etc/pyproxy/pyproxy.toml"
    assert gateway_image.labels["org.opencontainers.image.version"] == "0.1.0"
    assert gateway_image.labels["org.opencontainers.image.licenses"] == "MIT"


@pytest.mark.parametrize("which", ["gateway_image", "copilot_image"])
def test_no_shell_and_no_package_manager_is_in_it(request, which):
    image = request.getfixturevalue(which)
    programs = {
        name
        for name, about in _walk(image.files)
        if about.st_mode & 0o111
        and not stat.S_ISDIR(about.st_mode)
        and TOOLS.fullmatch(Path(name).name)
        and "node_modules" not in name
    }

    assert programs == set()


def _may_write(about):
    is_link = stat.S_ISLNK(about.st_mode)
    by_owner = about.st_uid == NOBODY and about.st_mode & 0o200
    by_group = about.st_gid == NOBODY and about.st_mode & 0o020
    return not is_link and bool(by_owner or by_group or about.st_mode & 0o002)


def test_its_user_owns_nothing_but_its_state(gateway_image):
    assert {name for name, about in _added(gateway_image).items() if _may_write(about)} == ITS_OWN


def test_copilot_apis_user_owns_nothing_but_its_login(copilot_image):
    own = {name for name, about in _added(copilot_image).items() if _may_write(about)}

    # An engine may make the folders above it for the same user.
    above = {"home/nonroot/.local", "home/nonroot/.local/share"}
    assert own - above == {"home/nonroot/.local/share/copilot-api"}


@pytest.mark.parametrize("which", ["gateway_image", "copilot_image"])
def test_nothing_of_who_built_it_is_in_it(request, which):
    image = request.getfixturevalue(which)
    names = _added(image)
    left = [
        name
        for name in names
        if re.search(r"pip\.conf|npmrc|\.git(/|$)|\.env$|\.key$|\.whl$|/tests?/|^debs|^src", name)
        and "site-packages" not in name
        and "node_modules" not in name
    ]

    assert left == []
    assert "index-url" not in image.history
    assert "NPM_CONFIG" not in image.environment


def test_it_can_write_to_its_state_and_tmp_alone(gateway_image, volume):
    tried = """
import os, sys
for folder in "/ /opt/pyproxy /etc /etc/pyproxy /certs /tmp /var/lib/pyproxy /usr/bin".split():
    try:
        open(folder + "/probe", "w").close()
        print(folder)
    except OSError:
        pass
print(os.getuid(), os.getgid(), open("/proc/self/status").read().split("CapEff:")[1].split()[0])
"""
    container = Container(gateway_image, [(volume("state"), "/var/lib/pyproxy", True)])

    done = container.run("-c", tried, entrypoint=["/opt/pyproxy/bin/python"])

    may, identity = done.stdout.splitlines()[:-1], done.stdout.splitlines()[-1]
    assert may == ["/tmp", "/var/lib/pyproxy"]  # noqa: S108 - the container's
    assert identity == "65532 65532 0000000000000000"


def test_its_version_runs(gateway_image):
    done = Container(gateway_image).run("version")

    assert (done.returncode, done.stderr) == (0, "")
    assert "uvloop" in done.stdout
