import pytest

from pyproxy.telemetry.messages import MessageOutlet
from pyproxy.telemetry.outlet import FileOutlet, StreamOutlet
from pyproxy.telemetry.target import open_outlet, problem_with


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_standard_streams_are_known_by_name(name):
    outlet = open_outlet(name)

    assert isinstance(outlet, StreamOutlet)
    assert outlet.write(b"") == 0
    assert problem_with(outlet) == ""
    outlet.close()


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        pytest.param("syslog:/nowhere/log", "No such file or directory", id="syslog's socket"),
        pytest.param("journald:/nowhere/socket", "No such file or directory", id="the journal's"),
        pytest.param("syslog+tcp://127.0.0.1:1", "Connection refused", id="over TCP"),
        pytest.param("syslog://127.0.0.1:1", "", id="over UDP nobody can tell"),
    ],
)
def test_a_syslog_and_a_journal_are_known_by_their_scheme(target, problem):
    outlet = open_outlet(target)

    assert isinstance(outlet, MessageOutlet)
    assert problem_with(outlet) == problem
    outlet.close()


def test_anything_else_is_a_file(tmp_path):
    outlet = open_outlet(str(tmp_path / "audit.log"))

    assert isinstance(outlet, FileOutlet)
    assert problem_with(outlet) == ""
    assert problem_with(open_outlet(str(tmp_path))) == "Is a directory"
    outlet.close()
