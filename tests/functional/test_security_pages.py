"""SECURITY.md and the security review name tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["SECURITY.md", "docs/security-review.md", "docs/limits.md", "docs/operations.md"]
KINDS = "unit|functional|process|contract|providers|endurance|fuzz|browser|deploy|release"
NAMED = re.compile(rf"`((?:{KINDS})/[\w/]+\.py)(?:::(\w+))?`")
# What looks like a test and is written in another way would be looked for by nobody.
LOOSE = re.compile(r"test_\w+(?:\.py)?")


def named_in(page):
    return NAMED.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_is_there(page):
    missing = []
    for file, name in named_in(page):
        path = ROOT / "tests" / file
        if not path.is_file() or (name and f"def {name}(" not in path.read_text(encoding="utf-8")):
            missing.append(f"{file}::{name}")

    assert named_in(page)
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_no_test_is_named_in_another_way(page):
    text = (ROOT / page).read_text(encoding="utf-8")

    assert LOOSE.findall(NAMED.sub("", text)) == []


def test_every_threat_and_every_risk_of_owasp_names_a_test():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    threats = re.findall(r"^\| T\d+ \|.*$", text, re.MULTILINE)
    risks = re.findall(r"^\| API\d+:2023 .*$", text, re.MULTILINE)

    assert len(threats) >= 20
    assert len(risks) == 10
    assert [row for row in (*threats, *risks) if not NAMED.search(row)] == []
