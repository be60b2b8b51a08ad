"""Secrets in a repository, and in an environment file that others may read."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from pyproxy.cli.secret_files import unguarded
from pyproxy.config.load import load
from pyproxy.identity.signing_keys import generate_key_set

SECRETS = {
    "signing.json": json.dumps(generate_key_set("ES256")),
    "provider.key": "a-providers-secret",
    "tls.key": "a private key",
    ".env": "GITHUB_TOKEN=secret",
}
CONFIG = """
[[listeners]]
bind = "127.0.0.1:5000"
certificate = "tls.crt"
private_key = "tls.key"
[auth]
keys = [{ env = "API_KEY" }]
[auth.jwt]
signing_keys_file = "signing.json"
[[routes]]
name = "main"
upstream = "http://127.0.0.1:1"
credential = { header = "X-Key", value = { file = "provider.key" } }
"""


@pytest.fixture
def folder():
    """A folder that every user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for file, text in SECRETS.items():
            (folder / file).touch(mode=0o600)
            (folder / file).write_text(text)
        yield folder


@pytest.fixture
def repository(folder):
    """The same, in a repository whose configuration names a program that must not be run."""
    git(folder, "init", "--quiet")
    git(folder, "config", "core.fsmonitor", f"touch {folder}/was-run; false")
    return folder


def git(folder, *arguments):
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def remarks(folder, config=CONFIG):
    (folder / "pyproxy.toml").write_text(config)
    loaded = load(folder / "pyproxy.toml", {"API_KEY": "k" * 20}, folder)
    return [(Path(fault.path).name, fault.problem) for fault in unguarded(loaded, folder)]


def committable(folder, config=CONFIG):
    return {name for name, problem in remarks(folder, config) if "repository" in problem}


def test_outside_a_repository_nothing_is_remarked_on(folder):
    assert remarks(folder) == []


def test_every_secret_that_git_would_take_is_named(repository):
    assert committable(repository) == set(SECRETS)
    assert not (repository / "was-run").exists()


def test_what_is_ignored_is_let_be(repository):
    (repository / ".gitignore").write_text("*.key\nsigning*.json\n.env\n")

    assert committable(repository) == set()


def test_what_is_tracked_is_not_ignored_whatever_stands_in_gitignore(repository):
    git(repository, "add", "signing.json")
    (repository / ".gitignore").write_text("*.key\nsigning*.json\n.env\n")

    assert committable(repository) == {"signing.json"}


def test_a_folder_within_the_repository_counts(repository):
    inner = repository / "deploy"
    inner.mkdir()
    for name in SECRETS:
        shutil.move(repository / name, inner / name)

    assert committable(inner) == set(SECRETS)


def test_a_configuration_with_a_secret_in_it_counts(repository):
    literal = CONFIG.replace('{ env = "API_KEY" }', '"a-plain-key-of-somebody"')

    assert "pyproxy.toml" in committable(repository, literal)


def test_an_environment_file_that_others_may_read_is_named(folder):
    (folder / ".env").chmod(0o644)

    [(name, problem)] = remarks(folder)

    assert name == ".env"
    assert "Compose" in problem
    assert "chmod o-rwx" in problem


def test_without_git_nothing_is_said(repository, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    assert committable(repository) == set()
