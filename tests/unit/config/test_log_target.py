import pytest
from pydantic import TypeAdapter, ValidationError

from pyproxy.config.log_target import LogTarget
from pyproxy.config.surroundings import Surroundings

TARGET = TypeAdapter(LogTarget)


@pytest.mark.parametrize(
    "text",
    [
        "stderr",
        "stdout",
        "x.log",
        "syslog:",
        "syslog:/dev/log",
        "journald:",
        "journald:/run/other socket",
        "syslog://logs.example.com:514",
        "syslog://[::1]:1",
        "syslog+tcp://10.0.0.1:65535",
    ],
)
def test_a_good_target_is_taken(text):
    assert TARGET.validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("a\nb", id="newline"),
        pytest.param("syslog:dev/log", id="relative socket"),
        pytest.param("syslog:/dev/log\n", id="newline in a socket"),
        pytest.param("syslog://host", id="no port"),
        pytest.param("syslog://host:0", id="port 0"),
        pytest.param("syslog://host:65536", id="no such port"),
        pytest.param("syslog://user@host:514", id="a user"),
        pytest.param("syslog://host:514/x", id="a path behind"),
        pytest.param("syslog+tcp:", id="TCP to nowhere"),
        pytest.param("syslog+tcp:/dev/log", id="TCP to a socket"),
        pytest.param("journald://host:1", id="a journal elsewhere"),
    ],
)
def test_a_bad_target_is_refused(text):
    with pytest.raises(ValidationError):
        TARGET.validate_python(text)


def test_files_are_made_absolute_where_the_configuration_is_and_nothing_else_is():
    around = Surroundings({}, lambda path: f"/etc/{path}", str)

    assert TARGET.validate_python("a", context=around) == "/etc/a"
    assert TARGET.validate_python("stdout", context=around) == "stdout"
    assert TARGET.validate_python("syslog:", context=around) == "syslog:"
