"""What is installed only where it is wanted."""

import sys

import pytest

from pyproxy.assembly import tracing
from pyproxy.assembly.extras import remedy
from pyproxy.config.load import load
from pyproxy.runtime.extras import missing_extras, without_traces

TRACED = '[traces]\nendpoint = "http://127.0.0.1:4318/v1/traces"\n'
JOURNAL = '[server.log]\naudit = "journald:"\n'
KEYS = '[auth]\nkeys = ["a-plain-key-of-somebody"]\n'


@pytest.fixture
def loaded(tmp_path):
    def loaded_(text, environ=None):
        path = tmp_path / "pyproxy.toml"
        path.write_text(text + KEYS)
        return load(path, environ or {}, tmp_path)

    return loaded_


@pytest.fixture
def bare(monkeypatch):
    """An installation without any extra."""
    for name in ("logging_journald", "opentelemetry", "opentelemetry.exporter.otlp.proto.http"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def find_spec(name):
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(name)

    monkeypatch.setattr("pyproxy.assembly.tracing.find_spec", find_spec)
    monkeypatch.setattr("pyproxy.runtime.extras.find_spec", find_spec)
    tracing.has_otel.cache_clear()
    yield
    tracing.has_otel.cache_clear()


def test_with_the_extras_nothing_is_missing(loaded):
    for text in (TRACED, JOURNAL):
        assert missing_extras(loaded(text)) == without_traces(loaded(text)) == ()


@pytest.mark.usefixtures("bare")
def test_without_them_nothing_is_missing_that_nobody_asks_for(loaded):
    assert missing_extras(loaded("")) == without_traces(loaded("")) == ()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (TRACED, f"traces.endpoint: needs {remedy('otel')}"),
        (
            JOURNAL,
            f"server.log.audit: needs {remedy('journald')}",
        ),
    ],
)
def test_what_the_file_asks_for_must_be_there(loaded, text, sentence):
    assert [str(fault) for fault in missing_extras(loaded(text))] == [sentence]


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    "variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
)
def test_what_the_environment_asks_of_everybody_is_a_remark(loaded, variable):
    asked = loaded("", {variable: "http://collector:4318"})

    assert missing_extras(asked) == ()
    [remark] = without_traces(asked)
    assert str(remark).startswith(f'{variable}: has no effect without the extra "otel"')
    assert tracing.trace_rules(asked.settings) is None
