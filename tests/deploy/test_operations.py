"""The operators' page: that what it says of metrics and files is so."""

import re
from pathlib import Path

from pyproxy.telemetry.catalogue import FAMILIES

OPERATIONS = Path("docs/operations.md")
ROW = re.compile(r"^\| `(pyproxy_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
LINK = re.compile(r"(?:\]\(|src(?:set)?=\")((?!https?:)[^)\"#]*)(?:#([a-z-]+))?[)\"]")


def test_every_metric_is_explained_with_its_labels():
    told = {
        name: (kind, tuple(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall(OPERATIONS.read_text())
    }

    assert told == {family.name: (family.kind, family.labels) for family in FAMILIES}


def test_links_lead_somewhere():
    text = OPERATIONS.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    for path, anchor in LINK.findall(text):
        assert (OPERATIONS.parent / path).exists(), path
        assert path or anchor in anchors, anchor
