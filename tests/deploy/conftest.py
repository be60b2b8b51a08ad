"""Prometheus's own judge of its files."""

import json
import shutil
import subprocess

import pytest

from tests.programs import demand


@pytest.fixture
def promtool(tmp_path):
    """Let it judge a document of ours, given as JSON, which is YAML."""
    program = shutil.which("promtool")
    demand("" if program else "promtool is not installed (Debian's package: prometheus)")

    def promtool_(*command, document=None):
        if document is not None:
            path = tmp_path / "document.yml"
            path.write_text(json.dumps(document))
            command = (*command, path)
        done = subprocess.run([program, *command], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return promtool_
