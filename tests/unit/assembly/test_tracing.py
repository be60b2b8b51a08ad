from pyproxy.assembly.tracing import has_otel, open_exporter, trace_rules
from pyproxy.config.load import load
from pyproxy.telemetry.spans import OtlpExporter

KEYS = '[auth]\nkeys = ["a-plain-key-of-somebody"]\n'


def settings_of(tmp_path, text):
    path = tmp_path / "pyproxy.toml"
    path.write_text(text + KEYS)
    return load(path, {}, tmp_path).settings


def test_nothing_is_traced_unless_a_collector_is_named(tmp_path):
    assert has_otel()
    assert trace_rules(settings_of(tmp_path, "")) is None


def test_rules_are_what_the_settings_say(tmp_path):
    rules = trace_rules(
        settings_of(
            tmp_path,
            '[traces]\nendpoint = "http://127.0.0.1:1/"\nsample = 0.25\nservice_name = "edge"\n'
            'headers = { X-Key = "secret" }\n',
        )
    )

    assert (rules.endpoint, rules.sample, rules.service_name) == (
        "http://127.0.0.1:1/", 0.25, "edge",
    )  # fmt: skip
    assert rules.headers == (("X-Key", "secret"),)
    assert not rules.names_users


def test_the_exporter_is_made_of_the_rules(tmp_path):
    rules = trace_rules(settings_of(tmp_path, '[traces]\nendpoint = "http://127.0.0.1:1/"\n'))
    exporter = open_exporter(rules)

    assert isinstance(exporter, OtlpExporter)
    exporter.close()
