"""An audit that nobody answered is no pass."""

import io
import json
import os
import subprocess
import sys
import time

import pytest

from release import audit
from release.audit import Answer, answered
from release.workshop import ROOT

SKIPPED = {"name": "quiet", "skip_reason": "not found"}
CLEAN = {"name": "clean", "version": "1", "vulns": []}
HOLED = {"name": "holed", "version": "1", "vulns": [{"id": "PYSEC-2026-1"}]}


class Said(io.BytesIO):
    """What an index answers."""

    def __init__(self, text):
        super().__init__(text.encode())


class Drops(Said):
    """A space every now and then, without end."""

    def read1(self, _):
        time.sleep(0.01)
        return b" "


def report(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


def test_package_that_was_skipped_is_not_answered_about():
    assert answered(report(SKIPPED, CLEAN, HOLED)) == {"clean": [], "holed": ["PYSEC-2026-1"]}


def test_audit_that_failed_answered_nothing():
    assert answered("") == {}
    assert answered("Traceback (most recent call last):") == {}


def test_of_two_versions_of_a_package_both_count():
    assert answered(report(HOLED, {**HOLED, "version": "2", "vulns": []})) == {
        "holed": ["PYSEC-2026-1"]
    }


@pytest.mark.parametrize("said", ["{}", "[]", "null", '{"dependencies": [1]}', "[" * 100_000])
def test_rubbish_answers_nothing(said):
    assert answered(said) == {}


PAGE = {"info": {"name": "clean", "version": "1"}, "vulnerabilities": []}


@pytest.mark.parametrize(
    ("said", "known"),
    [
        pytest.param(json.dumps(PAGE), {"clean": []}, id="an answer"),
        pytest.param("<html>", {}, id="a page for people"),
        pytest.param("[]", {}, id="a list"),
        pytest.param("{}", {}, id="nothing in it"),
        pytest.param(json.dumps({**PAGE, "vulnerabilities": None}), {}, id="no list"),
        pytest.param(
            json.dumps({**PAGE, "info": {"name": "x", "version": "1"}}), {}, id="another's page"
        ),
    ],
)
def test_an_index_is_believed_only_what_it_says(monkeypatch, said, known):
    monkeypatch.setattr(audit, "urlopen", lambda *_, **__: Said(said))

    assert audit._by_newest({"clean": "1"}) == known


def test_an_index_that_answers_by_drops_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(audit, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(audit, "urlopen", lambda *_, **__: Drops(""))

    assert audit._by_newest({"clean": "1"}) == {}


def test_all_asked_and_nothing_known_passes():
    assert Answer({"clean": []}, []).code == 0


def test_what_is_known_fails_and_says_what_to_do():
    answer = Answer(answered(report(CLEAN, HOLED)), ["quiet"])

    assert answer.code == 1
    assert "holed: PYSEC-2026-1" in answer.sentence()
    assert "make lock" in answer.sentence()


def test_one_package_that_nobody_spoke_of_is_no_pass():
    answer = Answer({"clean": []}, ["quiet"])

    assert answer.code == 2
    assert answer.sentence().startswith("NOT AUDITED: quiet.")
    assert "make audit" in answer.sentence()


def test_where_nobody_is_reached_it_says_so_and_is_no_pass(tmp_path):
    away = {"HTTPS_PROXY": "http://127.0.0.1:1", "HOME": str(tmp_path), "PIP_NO_CACHE_DIR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "release.audit"],
        cwd=ROOT,
        env={**os.environ, **away},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.startswith("NOT AUDITED: ")
    assert done.returncode == 2
