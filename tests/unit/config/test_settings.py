import pytest
from pydantic import ValidationError

from pyproxy.config.quantities import Rate
from pyproxy.config.settings import Settings


def test_without_a_word_there_is_one_listener_and_one_route():
    settings = Settings()

    assert [listener.bind for listener in settings.listeners] == ["0.0.0.0:5000"]
    assert settings.listeners[0].certificate == "certs/copilot.crt"
    assert [(route.name, route.provider) for route in settings.routes] == [
        ("copilot", "copilot-api")
    ]


def test_three_limits_exist_always():
    limits = Settings.model_validate({"rate_limits": {"auth": {"burst": 3}}}).rate_limits

    assert {name: (limit.rate, limit.burst, limit.per) for name, limit in limits.items()} == {
        "api": (Rate(10, 1), 20, ("ip",)),
        "auth": (Rate(5, 60), 3, ("ip",)),
        "health": (Rate(10, 1), 5, ("ip",)),
    }


@pytest.mark.parametrize("key", ["listeners", "routes"])
def test_what_is_served_is_not_nothing(key):
    with pytest.raises(ValidationError, match="at least one entry"):
        Settings.model_validate({key: []})


def test_settings_can_be_written_as_json():
    assert '"rate":"10r/s"' in Settings().model_dump_json()
