"""docs/limits.md says what is so."""

import importlib
import re
from contextlib import suppress
from pathlib import Path

import pytest

from pyproxy.config.quantities import Rate, parse_bytes, parse_seconds
from pyproxy.config.settings import Settings
from pyproxy.errors.refusal import Refusal

TEXT = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and line.count("|") == 6 and "| default |" not in line
]
CODE = re.compile(r"\d{3} `(\w+)`")


def codes():
    """Of every refusal there is."""
    found, classes = {"invalid_token"}, [Refusal]
    while classes:
        classes += (each := classes.pop()).__subclasses__()
        found.add(getattr(each, "code", ""))
    return found


def configured(path):
    """What a setting is unless it is set."""
    value = Settings()
    for name in path.split("."):
        if name.endswith("[]"):
            value = getattr(value, name[:-2])[0]
        else:
            value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value


def fixed(path):
    """The value of a name in the code."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def readings(text):
    """All that a default may mean."""
    for read in (int, parse_seconds, parse_bytes, Rate.parse):
        with suppress(ValueError, TypeError):
            yield read(text)


@pytest.mark.parametrize(
    ("default", "place"),
    [pytest.param(row[1], row[2].strip("`"), id=row[0]) for row in ROWS if row[2]],
)
def test_what_is_said_is_the_default(default, place):
    value = fixed(place) if place.startswith("pyproxy.") else configured(place)

    assert value in list(readings(default))


def test_every_answer_is_one_that_is_given():
    said = {code for row in ROWS for code in CODE.findall(row[3])}

    assert len(said) > 10
    assert said <= codes()


def test_every_limit_of_the_configuration_has_its_line():
    places = {row[2].strip("`") for row in ROWS}
    server = {f"server.{name}" for name in type(Settings().server).model_fields if "max_" in name}
    auth = {f"auth.{name}" for name in type(Settings().auth).model_fields if "max_" in name}

    assert len(ROWS) > 40
    assert server | auth <= places
