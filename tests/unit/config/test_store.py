import json

import pytest
from pydantic import ValidationError

from pyproxy.config.settings import Settings
from pyproxy.config.store import StoreSettings


def test_the_default_is_memory_and_a_tenth_of_a_second():
    store = StoreSettings()

    assert store.url.is_memory
    assert (store.timeout, store.on_failure, store.prefix) == (0.1, "local", "pyproxy")


@pytest.mark.parametrize(
    "values",
    [{"timeout": "0s"}, {"prefix": ""}, {"prefix": "a{b}"}, {"on_failure": "no"}, {"url": ""}],
    ids=str,
)
def test_what_makes_no_sense_is_refused(values):
    with pytest.raises(ValidationError):
        StoreSettings.model_validate(values)


def test_as_json_it_keeps_its_password():
    settings = Settings.model_validate({"store": {"url": "redis://u:hunter2@h"}})

    assert "hunter2" not in settings.model_dump_json()
    assert json.loads(settings.model_dump_json())["store"]["url"] == "redis://***@h:6379/0"
