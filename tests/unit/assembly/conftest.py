"""Configurations as the gateway gets them, from text."""

import pytest

from pyproxy.config.load import load


@pytest.fixture
def configured(tmp_path):
    """Load a configuration's text; its files are in the test's folder."""

    def configured_(text, **environ):
        (tmp_path / "pyproxy.toml").write_text(text)
        return load(tmp_path / "pyproxy.toml", environ, tmp_path).settings

    return configured_
