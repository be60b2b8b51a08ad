from pyproxy.providers.catalogue import CATALOGUE


def test_every_preset_stands_under_its_own_name():
    assert {name: preset.name for name, preset in CATALOGUE.items()} == {
        "generic": "generic",
        "copilot-api": "copilot-api",
    }
