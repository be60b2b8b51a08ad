import pytest
from pydantic import ValidationError

from pyproxy.config.server import ServerSettings


@pytest.mark.parametrize(
    ("value", "workers"), [(4, 4), ("4", 4), ("auto", "auto"), (1024, 1024)], ids=repr
)
def test_workers_are_a_number_or_auto(value, workers):
    settings = ServerSettings.model_validate({"workers": value})

    assert settings.workers == workers
    assert settings.model_dump(mode="json")["workers"] == workers


@pytest.mark.parametrize("value", [0, 1025, -1, 1.5, True, "many", "", None, []], ids=repr)
def test_other_workers_are_refused(value):
    with pytest.raises(ValidationError, match="from 1 to 1024"):
        ServerSettings.model_validate({"workers": value})


def test_settings_are_plain_numbers():
    settings = ServerSettings()

    assert settings.header_timeout == 10.0
    assert settings.max_body == 100_000_000
    assert settings.max_header_size == 16384
    assert settings.log.format == "json"


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        ServerSettings().drain = 1.0


def test_it_is_known_whether_somebody_asked_for_the_admin_listener():
    assert not ServerSettings().is_admin_written
    assert ServerSettings.model_validate({"admin": "127.0.0.1:9100"}).is_admin_written
