"""What a build gets to see of the folder that it is started in."""

import subprocess

import pytest

from tests.image.conftest import ROOT

PRIVATE = (
    ".env",
    "certs/copilot.key",
    "certs/ca.key",
    "api_keys.txt",
    "signing_keys.json",
    "jwks.json",
    "pyproxy.toml",
    "secrets/github_token",
    "src/pyproxy/local.key",
    "src/pyproxy/.env",
    "src/pyproxy/__pycache__/x.pyc",
    "node_modules/x/index.js",
    "tests/lab/node_modules/x/index.js",
    ".git/config",
    ".venv/bin/python",
    "deploy/compose/gateway/api_keys.txt",
)


@pytest.fixture
def seen(engine, tmp_path):
    """Build an image of a whole context: its files."""
    context = tmp_path / "context"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in (*listed.stdout.splitlines(), *PRIVATE):
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / name
        path.write_bytes(source.read_bytes() if source.is_file() else b"private")
    file = tmp_path / "All.Containerfile"
    file.write_text("FROM scratch\nCOPY . /\n")
    engine.build("localhost/pyproxy-context", context=context, file=str(file))
    root = engine.files("localhost/pyproxy-context")
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_nothing_private_reaches_a_build(seen):
    assert not seen & set(PRIVATE)


def test_a_build_gets_what_it_needs_and_little_else(seen):
    outside = {name for name in seen if not name.startswith("src/pyproxy/")}

    assert outside == {
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "deploy/compose/gateway/pyproxy.toml",
        "deploy/copilot-api/package-lock.json",
        "deploy/copilot-api/package.json",
        "deploy/copilot-api/start.mjs",
        "deploy/requirements/build.txt",
        "deploy/requirements/image.txt",
    }
    assert "src/pyproxy/admin/page.html" in seen
