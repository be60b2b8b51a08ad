import pytest

from pyproxy.cli.missing_files import missing_files, with_remedies
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault

KEYS = ("auth", "keys_file")


def settings(**given):
    return Settings.model_validate({"listeners": [{"bind": "127.0.0.1:1"}], **given})


def test_nothing_named_is_nothing_missing():
    assert missing_files(settings()) == {}


@pytest.mark.parametrize(
    ("given", "path", "place", "remedy"),
    [
        pytest.param(
            {"listeners": [{"certificate": "/x/copilot.crt", "private_key": "/"}]},
            "/x/copilot.crt",
            "listeners[0].certificate",
            "; 'pyproxy cert --dir /x' makes it, for development",
            id="certificate of the usual name",
        ),
        pytest.param(
            {"listeners": [{"certificate": "/", "private_key": "/x/a.key"}]},
            "/x/a.key",
            "listeners[0].private_key",
            "; 'pyproxy serve --dev' makes it, for development",
            id="key of another name",
        ),
        pytest.param(
            {"listeners": [{"certificate": "/", "private_key": "/", "client_ca": "/x/ca"}]},
            "/x/ca",
            "listeners[0].client_ca",
            "",
            id="authority of clients",
        ),
        pytest.param(
            {"routes": [{"name": "a", "upstream": "https://a", "tls": {"ca": "/x/ca"}}]},
            "/x/ca",
            "routes[0].tls.ca",
            " (route a)",
            id="authority of an upstream",
        ),
    ],
)
def test_missing_file_is_named_by_its_key(given, path, place, remedy):
    ((found, fault),) = missing_files(settings(**given)).items()

    assert found == path
    assert (fault.path, fault.problem) == (place, f"{path}: cannot be read: no such file{remedy}")


def test_file_under_a_file_is_missing(tmp_path):
    (tmp_path / "file").write_text("")
    path = str(tmp_path / "file" / "keys.txt")

    assert path in missing_files(settings(auth={"keys_file": path}))


def test_file_that_cannot_be_looked_at_is_not_missing(tmp_path):
    path = str(tmp_path / ("x" * 300))

    assert missing_files(settings(auth={"keys_file": path})) == {}


def test_faults_of_missing_files_are_told_with_their_remedies(tmp_path):
    path = str(tmp_path / "keys.txt")
    other = Fault("routes[0].upstream", "is wrong")
    error = ConfigurationError(Fault(path, "cannot be read"), other, other)

    faults = with_remedies(error, settings(auth={"keys_file": path})).faults

    assert [fault.path for fault in faults] == ["auth.keys_file", "routes[0].upstream"]
    assert "'pyproxy keys new NAME' makes it" in faults[0].problem
