"""The schema of the audit log, and what the docs say of it."""

import json
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator, ValidationError

from pyproxy.admin import handler
from pyproxy.gateway import report
from pyproxy.telemetry.audit import MAX_BURST, AuditEvent, AuditLog
from pyproxy.telemetry.audit_schema import EVENTS, audit_schema

DOCS = Path(__file__).parents[3] / "docs"
WALL = 1_767_225_600.0


@pytest.fixture
def written():
    return []


@pytest.fixture
def audit(written):
    return AuditLog(written.append)


@pytest.fixture
def validator():
    Draft202012Validator.check_schema(audit_schema())
    return Draft202012Validator(audit_schema())


def test_the_schema_in_the_docs_is_this_one():
    text = (DOCS / "audit.schema.json").read_text()

    assert json.loads(text) == audit_schema(), "pyproxy schema --audit > docs/audit.schema.json"


def test_every_event_is_in_it():
    assert set(get_args(AuditEvent)) <= set(EVENTS)


@pytest.mark.parametrize("told", [handler._EVENTS, report._EVENTS], ids=["admin", "gateway"])
def test_every_refusal_that_is_told_is_in_it(told):
    assert [code for code, event in told.items() if code not in EVENTS[event].results] == []


def test_the_page_names_every_event_result_and_detail():
    page = (DOCS / "audit.md").read_text()
    missing = [
        word
        for name, event in EVENTS.items()
        for word in (name, *event.results, *event.details)
        if f"`{word}`" not in page
    ]

    assert missing == []


def test_the_examples_on_the_page_are_lines(validator):
    page = (DOCS / "audit.md").read_text()
    examples = [line for line in page.splitlines() if line.startswith('{"time"')]

    assert len(examples) >= 4
    for line in examples:
        validator.validate(json.loads(line))


@pytest.mark.parametrize("event", get_args(AuditEvent))
def test_what_is_written_fits(audit, written, validator, event):
    for _ in range(MAX_BURST + 3):
        audit.put(event, WALL, result=EVENTS[event].results[0])
    audit.put(event, WALL + 1.0, result=EVENTS[event].results[-1])
    audit.put(event, WALL + 1.0)  # without a result it would not
    audit.close(WALL)
    written.append(audit.lost_line(7, WALL))

    for line in (each for each in written if '"result":""' not in each):
        validator.validate(json.loads(line))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"event": "auth.other"}, id="no such event"),
        pytest.param({"result": "fine"}, id="no such result"),
        pytest.param({"details": {"password": "x"}}, id="no such detail"),
        pytest.param({"details": None}, id="no details"),
        pytest.param({"time": "yesterday"}, id="no time"),
        pytest.param({"user": "x" * 257}, id="a long name"),
        pytest.param({"more": 1}, id="more"),
        pytest.param({"suppressed": 0}, id="nothing suppressed"),
    ],
)
def test_what_does_not_fit_is_found(audit, written, validator, change):
    audit.put("auth.ok", WALL, result="ok")
    with pytest.raises(ValidationError):
        validator.validate(json.loads(written[0]) | change)
