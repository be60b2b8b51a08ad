"""The alert rules, judged by Prometheus's own promtool."""

import re
from pathlib import Path

import pytest

from pyproxy.telemetry.catalogue import BY_NAME

PROMETHEUS = Path("deploy/prometheus")
RULES = PROMETHEUS / "alerts.yml"
OPERATIONS = Path("docs/operations.md")
NAMES = re.findall(r"- alert: (\S+)", RULES.read_text())
ENDS = ("_bucket", "_count", "_sum")
WHO = 'job="pyproxy",instance="a:9100"'
# An epoch second of 0 is when each of these tests begins.
DAY = 86400


def series(name, values, **labels):
    """A series of an instance's, a value a minute."""
    more = "".join(f',{label}="{value}"' for label, value in labels.items())
    return {"series": f"{name}{{{WHO}{more}}}", "values": values}


def requests(good, bad):
    """A route's requests, that grow by so many a minute."""
    return [
        series("pyproxy_requests_total", f"0+{good}x120", route="r", method="GET", status="2xx"),
        series("pyproxy_requests_total", f"0+{bad}x120", route="r", method="GET", status="5xx"),
    ]


def durations(name, within, beyond):
    """A route's histogram: so many more a minute up to 1 s, and beyond that up to 600 s."""
    return [
        series(f"{name}_bucket", f"0+{within}x120", route="r", le="1.0"),
        series(f"{name}_bucket", f"0+{within + beyond}x120", route="r", le="600.0"),
        series(f"{name}_bucket", f"0+{within + beyond}x120", route="r", le="+Inf"),
    ]


def one(name, values, **labels):
    return [series(name, values, **labels)]


FIRST, WHOLE = "pyproxy_time_to_first_byte_seconds", "pyproxy_request_duration_seconds"
EXPIRY = "pyproxy_certificate_expiry_timestamp_seconds"
CERTIFICATE = {"bind": "0.0.0.0:5000", "file": "a.crt"}
KEYS = {"source": "https://i/jwks"}
UPSTREAM = {"route": "r", "upstream": "http://b"}
# What it is about, what is still well, what is not, and the minutes until it says so.
CASES = {
    "PyproxyDown": (one("up", "1x120"), one("up", "0x120"), 1),
    "PyproxyAbsent": (one("up", "1x120"), one("other", "1x120"), 5),
    "PyproxyWorkersDie": (
        one("pyproxy_worker_deaths_total", "3x120"),
        one("pyproxy_worker_deaths_total", "0+1x120"),
        3,
    ),
    "PyproxyReloadFailed": (
        [*one("pyproxy_reloads_total", "0x120", result="failed"),
         *one("pyproxy_reloads_total", "0+1x120", result="ok")],
        one("pyproxy_reloads_total", "0 1x120", result="failed"),
        3,
    ),
    "PyproxyFilesRefused": (
        [*one("pyproxy_files_refused", "0x120", kind="keys"),
         *one("pyproxy_files_refused", "0 1x3 0x120", kind="certificates")],
        one("pyproxy_files_refused", "1x120", kind="keys"),
        5,
    ),
    "PyproxyLogLinesLost": (
        one("pyproxy_log_lines_lost_total", "7x120"),
        one("pyproxy_log_lines_lost_total", "0+9x120"),
        3,
    ),
    "PyproxyServerErrors": (requests(960, 40), requests(900, 100), 6),
    "PyproxyAnswersBreakOff": (
        [*requests(96, 0), *one("pyproxy_aborted_total", "0+4x120", route="r")],
        [*requests(90, 0), *one("pyproxy_aborted_total", "0+9x120", route="r")],
        6,
    ),
    "PyproxySlowFirstByte": (durations(FIRST, 1000, 10), durations(FIRST, 900, 100), 12),
    "PyproxySlowAnswers": (durations(WHOLE, 1000, 10), durations(WHOLE, 900, 100), 12),
    "PyproxyRouteUnreachable": (
        [*one("pyproxy_upstream_up", "1x120", route="r", upstream="http://a"),
         *one("pyproxy_upstream_up", "0 1x120", **UPSTREAM)],
        [*one("pyproxy_upstream_up", "0x4", route="r", upstream="http://a"),
         *one("pyproxy_upstream_up", "0x4", **UPSTREAM)],
        1,
    ),
    "PyproxyUpstreamDown": (
        one("pyproxy_upstream_up", "0x3 1x120", **UPSTREAM),
        [*one("pyproxy_upstream_up", "0x120", **UPSTREAM),
         *one("pyproxy_upstream_up", "1x120", route="r", upstream="http://a")],
        5,
    ),
    "PyproxyManyAuthFailures": (
        one("pyproxy_auth_failures_total", "0+50x120"),
        one("pyproxy_auth_failures_total", "0+90x120"),
        15,
    ),
    "PyproxyManyBans": (
        one("pyproxy_bans_total", "0+1x120"), one("pyproxy_bans_total", "0+5x120"), 8,
    ),
    "PyproxyLimitsRefuse": (
        one("pyproxy_limit_exceeded_total", "0+50x120", limit="api"),
        one("pyproxy_limit_exceeded_total", "0+90x120", limit="api"),
        20,
    ),
    "PyproxyHashingQueue": (
        one("pyproxy_bcrypt_waiting", "20x120"), one("pyproxy_bcrypt_waiting", "21x120"), 5,
    ),
    "PyproxyStoreDown": (one("pyproxy_store_up", "1x120"), one("pyproxy_store_up", "0x120"), 1),
    "PyproxyCertificateEndsSoon": (
        one(EXPIRY, f"{15 * DAY}x120", **CERTIFICATE),
        one(EXPIRY, f"{13 * DAY}x120", **CERTIFICATE),
        60,
    ),
    "PyproxyCertificateEnds": (
        one(EXPIRY, f"{4 * DAY}x120", **CERTIFICATE),
        one(EXPIRY, f"{2 * DAY}x30", **CERTIFICATE),
        5,
    ),
    "PyproxyKeySetStale": (
        [*one("pyproxy_jwks_age_seconds", "3000x120", **KEYS),
         *one("pyproxy_jwks_age_seconds", "900000x120", source="/etc/keys.json")],
        one("pyproxy_jwks_age_seconds", "3601x120", **KEYS),
        10,
    ),
    "PyproxyKeySetEmpty": (
        one("pyproxy_jwks_keys", "1x120", **KEYS), one("pyproxy_jwks_keys", "0x120", **KEYS), 1,
    ),
}  # fmt: skip
UP = one("up", "1x120")


def minutes_of(name, given, *times):
    """promtool's test that exactly these minutes find the alert firing."""
    minutes = [
        {
            "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) > 0',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": "{}", "value": 1}] if is_firing else [],
        }
        for minute, is_firing in times
    ]
    return {"interval": "1m", "input_series": given, "promql_expr_test": minutes}


def document(*tests):
    return {
        "rule_files": [str(RULES.resolve())],
        "evaluation_interval": "1m",
        "tests": list(tests),
    }


def test_rules_are_sound(promtool):
    code, said = promtool("check", "rules", RULES)

    assert code == 0, said


def test_example_configuration_is_sound(promtool):
    code, said = promtool("check", "config", PROMETHEUS / "prometheus.yml")

    assert code == 0, said


def test_every_alert_has_its_case():
    assert sorted(CASES) == sorted(NAMES)


@pytest.mark.parametrize("name", CASES)
def test_alert_fires_when_it_is_due_and_not_before(promtool, name):
    well, ill, minutes = CASES[name]
    code, said = promtool(
        "test",
        "rules",
        document=document(
            minutes_of(name, well, *((minute, False) for minute in range(5, 120, 5))),
            minutes_of(name, ill, (0, False), (minutes, True)),
        ),
    )

    assert code == 0, said


@pytest.mark.parametrize("name", CASES)
def test_sentences_of_the_alert_are_filled_in(promtool, name):
    _, ill, minutes = CASES[name]
    nothing = [{"eval_time": f"{minutes}m", "alertname": name, "exp_alerts": []}]
    test = {"interval": "1m", "input_series": ill, "alert_rule_test": nothing}
    code, said = promtool("test", "rules", document=document(test))

    assert code == 1
    assert f'alertname="{name}"' in said
    assert "error expanding" not in said
    assert "no value" not in said


def test_quiet_gateway_alarms_nobody(promtool):
    given = [
        *UP, *requests(100, 0), *durations(FIRST, 100, 0), *durations(WHOLE, 100, 0),
        *(one(name, "0x120")[0] for name, family in BY_NAME.items()
          if family.kind == "counter" and not family.labels),
        *one("pyproxy_store_up", "1x120"), *one("pyproxy_upstream_up", "1x120", **UPSTREAM),
        *one("pyproxy_jwks_keys", "2x120", **KEYS),
        *one("pyproxy_jwks_age_seconds", "60x120", **KEYS),
        *one(EXPIRY, f"{60 * DAY}x120", **CERTIFICATE),
    ]  # fmt: skip
    quiet = {
        "interval": "1m",
        "input_series": given,
        "promql_expr_test": [
            {"expr": "count(ALERTS) > 0", "eval_time": f"{minute}m", "exp_samples": []}
            for minute in (1, 30, 119)
        ],
    }
    code, said = promtool("test", "rules", document=document(quiet))

    assert code == 0, said


def test_every_metric_of_the_rules_exists():
    named = set(re.findall(r"\bpyproxy_[a-z0-9_]+", re.sub(r"admin_token", "", RULES.read_text())))
    known = {name + end for name in BY_NAME for end in ("", *ENDS)}

    assert named <= known


def test_every_alert_leads_to_its_section():
    text = RULES.read_text()
    headings = set(re.findall(r"^#+ (\S+)$", OPERATIONS.read_text(), re.MULTILINE))

    assert re.findall(r"runbook_url: \S+/docs/operations\.md#(\S+)", text) == [
        name.lower() for name in NAMES
    ]
    assert set(NAMES) <= headings


def test_every_alert_says_how_bad_it_is():
    severities = re.findall(r"severity: (\S+)", RULES.read_text())

    assert len(severities) == len(NAMES)
    assert set(severities) == {"critical", "warning"}
    assert len(re.findall(r"^ +for: ", RULES.read_text(), re.MULTILINE)) == len(NAMES)
