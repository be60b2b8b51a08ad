"""What keeps the gateway from starting."""

import os
import resource
import subprocess
import sys
from dataclasses import replace

import pytest

from pyproxy.runtime.preflight import (
    Ground,
    connections_that_fit,
    exposed,
    raise_file_limit,
    too_few_files,
    weak_ground,
)

SOUND = Ground(python=(3, 11, 0), openssl=(1, 1, 1), aiohttp="3.14.3", has_compiled_parser=True)


def test_this_machine_is_sound_ground():
    assert weak_ground(Ground.current()) == ()


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        pytest.param({}, [], id="the least of everything"),
        pytest.param({"python": (3, 14, 0)}, [], id="newer Python"),
        pytest.param({"python": (3, 10, 9)}, ["Python: is 3.10.9; at least 3.11"], id="old Python"),
        pytest.param(
            {"openssl": (1, 1, 0)}, ["OpenSSL: is 1.1.0; at least 1.1.1"], id="no TLS 1.3"
        ),
        pytest.param({"aiohttp": "3.14.10"}, [], id="two digits"),
        pytest.param({"aiohttp": "4.0"}, [], id="no patch number"),
        pytest.param({"aiohttp": "3.15.0a1"}, [], id="pre-release of a later one"),
        pytest.param({"aiohttp": "3.14.3.post1"}, [], id="post-release"),
        pytest.param({"aiohttp": "3.14.2"}, ["aiohttp: is 3.14.2"], id="CVE-2026-69244"),
        pytest.param({"aiohttp": "3.9.5"}, ["aiohttp: is 3.9.5"], id="3.9 is before 3.14"),
        pytest.param({"aiohttp": "3.14.3rc1"}, ["aiohttp: is 3.14.2"], id="release candidate"),
        pytest.param({"aiohttp": "3.14.3.dev0"}, ["aiohttp: is 3.14.2"], id="development version"),
        pytest.param({"aiohttp": "unknown"}, ["aiohttp: is an unknown version"], id="no version"),
        pytest.param(
            {"has_compiled_parser": False},
            ["aiohttp: runs on its parser in Python"],
            id="AIOHTTP_NO_EXTENSIONS",
        ),
        pytest.param(
            {"python": (3, 9, 1), "aiohttp": "3.8.1", "has_compiled_parser": False},
            ["Python: ", "aiohttp: is ", "aiohttp: runs "],
            id="all at once",
        ),
    ],
)
def test_weak_ground(changes, faults):
    found = [str(fault) for fault in weak_ground(replace(SOUND, **changes))]

    assert len(found) == len(faults)
    assert all(text.startswith(start) for text, start in zip(found, faults, strict=True))


@pytest.mark.parametrize(
    ("mode", "is_exposed"),
    [
        pytest.param(0o600, False, id="owner"),
        pytest.param(0o640, False, id="group may read"),
        pytest.param(0o660, False, id="group may write"),
        pytest.param(0o644, True, id="world-readable"),
        pytest.param(0o602, True, id="world-writable"),
        pytest.param(0o601, True, id="world-executable"),
    ],
)
def test_a_private_file_is_not_for_everybody(open_folder, mode, is_exposed):
    path = open_folder / "signing.json"
    path.touch()
    path.chmod(mode)

    faults = exposed([path])

    assert [fault.path for fault in faults] == ([str(path)] if is_exposed else [])
    assert all(f"{mode:04o}" in fault.problem for fault in faults)


def test_every_exposed_file_is_named_and_missing_ones_are_left_to_their_reader(open_folder):
    paths = [open_folder / "a", open_folder / "b"]
    for path in paths:
        path.touch()
        path.chmod(0o644)

    faults = exposed([paths[0], open_folder / "missing", paths[1]])

    assert [fault.path for fault in faults] == [str(path) for path in paths]


def test_a_link_is_as_exposed_as_its_target(open_folder):
    (open_folder / "target").touch()
    (open_folder / "target").chmod(0o600)
    (open_folder / "link").symlink_to("target")

    assert exposed([open_folder / "link"]) == ()


def test_a_closed_folder_on_the_way_hides_a_file(open_folder):
    inner = open_folder / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "key").touch(mode=0o644)

    assert [fault.path for fault in exposed([inner / "key"])] == [str(inner / "key")]
    (open_folder / "closed").chmod(0o700)
    assert exposed([inner / "key"]) == ()


def test_a_link_in_a_closed_folder_does_not_hide_its_target(tmp_path, open_folder):
    (open_folder / "key").touch(mode=0o644)
    (tmp_path / "link").symlink_to(open_folder / "key")

    assert [fault.path for fault in exposed([tmp_path / "link"])] == [str(tmp_path / "link")]


def test_a_containers_secrets_are_for_everybody_in_it(open_folder):
    secrets = open_folder / "run" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "key").touch(mode=0o444)
    (secrets / "linked").symlink_to(open_folder / "elsewhere")
    (open_folder / "elsewhere").touch(mode=0o444)
    (open_folder / "link").symlink_to(secrets / "key")
    inside = [secrets / "key", secrets / "linked", open_folder / "link"]
    climbing = secrets / ".." / ".." / "elsewhere"

    assert exposed(inside, exempt=[secrets]) == ()
    assert [fault.path for fault in exposed([climbing], exempt=[secrets])] == [str(climbing)]


def test_closed_standard_descriptors_are_occupied():
    script = (
        "import os\n"
        "from pyproxy.runtime.preflight import occupy_standard_descriptors\n"
        "os.close(1)\n"
        "occupy_standard_descriptors()\n"
        "occupy_standard_descriptors()\n"
        "assert os.fstat(1).st_rdev == os.stat(os.devnull).st_rdev\n"
        "assert os.open(os.devnull, os.O_RDONLY) > 2\n"
        "os._exit(7)\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    assert subprocess.run([sys.executable, "-c", script], env=environ, check=False).returncode == 7


@pytest.fixture
def file_limit():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(file_limit):
    _, hard = file_limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))

    assert raise_file_limit() == hard
    assert raise_file_limit() == hard
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard


@pytest.mark.parametrize(
    ("limit", "connections", "fitting"),
    [
        pytest.param(resource.RLIM_INFINITY, 1_000_000, None, id="no limit"),
        pytest.param(20_064, 10_000, None, id="just enough"),
        pytest.param(20_063, 10_000, 9_999, id="one too few"),
        pytest.param(1024, 10_000, 480, id="the shell's default"),
        pytest.param(10, 10, 0, id="hardly any"),
    ],
)
def test_connections_fit_the_limit_of_open_files(limit, connections, fitting):
    remark = too_few_files(limit, connections)

    assert (remark is None) == (fitting is None)
    assert remark is None or remark.problem.endswith(f"set at most {fitting}")
    assert connections_that_fit(limit, connections) == (connections if fitting is None else fitting)
