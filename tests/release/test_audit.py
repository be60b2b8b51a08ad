"""An audit that nobody answered is no pass."""

import json
import os
import subprocess
import sys

from release.audit import Answer, answered
from release.workshop import ROOT

SKIPPED = {"name": "quiet", "skip_reason": "not found"}
CLEAN = {"name": "clean", "version": "1", "vulns": []}
HOLED = {"name": "holed", "version": "1", "vulns": [{"id": "PYSEC-2026-1"}]}


def report(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


def test_package_that_was_skipped_is_not_answered_about():
    assert answered(report(SKIPPED, CLEAN, HOLED)) == {"clean": [], "holed": ["PYSEC-2026-1"]}


def test_audit_that_failed_answered_nothing():
    assert answered("") == {}
    assert answered("Traceback (most recent call last):") == {}


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
