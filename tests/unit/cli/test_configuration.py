from pathlib import Path

import pytest

from pyproxy.cli.configuration import find, load_configuration
from pyproxy.errors.fault import ConfigurationError

HINT = (
    "pyproxy: there is no pyproxy.toml here; for the demonstration's configuration add "
    "-c certs/dev.toml"
)


def test_file_that_is_named_counts(here):
    (here / "pyproxy.toml").write_text("")

    assert find(Path("other.toml")) == Path("other.toml")


def test_file_in_the_folder_counts_else(here):
    (here / "pyproxy.toml").write_text("")

    assert find(None) == Path("pyproxy.toml")


@pytest.mark.usefixtures("here")
def test_environment_alone_counts_last():
    assert find(None) is None


def test_configuration_is_loaded_with_its_faults(here):
    (here / "pyproxy.toml").write_text("serve = 1\n")

    with pytest.raises(ConfigurationError, match="serve"):
        load_configuration(None)


def test_variable_names_the_file(pyproxy, here, monkeypatch):
    (here / "other.toml").write_text("no_such_key = 1\n")
    monkeypatch.setenv("PYPROXY_CONFIG", "other.toml")

    code, _, err = pyproxy("check")

    assert code == 2
    assert "no_such_key" in err[0]


@pytest.mark.parametrize("command", [("check",), ("health",), ("explain", "GET", "/")])
def test_demonstrations_configuration_is_pointed_at(pyproxy, here, command):
    (here / "certs").mkdir()
    (here / "certs" / "dev.toml").write_text("")

    code, _, err = pyproxy(*command)

    assert code == 2
    assert err == [HINT]  # and nothing of a route that nobody wrote


def test_a_fault_of_the_environment_is_told_below_it(pyproxy, here, monkeypatch):
    (here / "certs").mkdir()
    (here / "certs" / "dev.toml").write_text("")
    monkeypatch.setenv("API_KEY_FILE", "missing.key")

    hint, *others = pyproxy("check")[2]

    assert hint == HINT
    assert [line.split(": ")[1] for line in others] == ["API_KEY_FILE"]


def test_configuration_of_ones_own_is_not_taken_for_the_demonstrations(pyproxy, here):
    (here / "certs").mkdir()
    (here / "certs" / "dev.toml").write_text("")
    (here / "pyproxy.toml").write_text("")

    assert not any("certs/dev.toml" in line for line in pyproxy("check")[2])
