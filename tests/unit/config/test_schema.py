import re

from pyproxy.config.outline import every_key
from pyproxy.config.schema import json_schema
from pyproxy.config.settings import Settings


def test_the_schema_names_its_dialect_and_refuses_unknown_keys():
    schema = json_schema()

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values())


def test_every_key_is_described():
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]

    undescribed = [
        name
        for section in sections
        for name, key in section["properties"].items()
        if not key.get("description")
    ]
    assert undescribed == []
    assert sum(len(section["properties"]) for section in sections) > len(list(every_key())) - 1


def test_quantities_are_texts_whose_defaults_fit_their_pattern():
    server = json_schema()["$defs"]["ServerSettings"]["properties"]

    for name, default in [("drain", "30s"), ("max_body", "100MB")]:
        assert server[name]["type"] == "string"
        assert server[name]["default"] == default
        assert re.search(server[name]["pattern"], default)
        assert re.search(server[name]["pattern"], "${NAME}")
        assert not re.search(server[name]["pattern"], "30")


def test_the_schema_is_of_the_settings():
    assert set(json_schema()["properties"]) == set(Settings.model_fields)


def test_bounds_of_numbers_are_told_in_words_that_editors_know():
    schema = json_schema()
    keys = [
        key
        for section in (schema, *schema["$defs"].values())
        for key in section["properties"].values()
    ]
    route = schema["$defs"]["RouteSettings"]["properties"]

    assert (route["retries"]["minimum"], route["retries"]["maximum"]) == (0, 10)
    assert [key for key in keys if {"ge", "le"} & key.keys()] == []
    assert [key for key in keys if key.get("type") == "integer" and "minimum" not in key] == []
