"""How extras are installed."""

import re
from pathlib import Path

from pyproxy.assembly.extras import remedy

ROOT = Path(__file__).parents[3]
# The name on the public index is somebody else's.
BY_NAME = re.compile(r"pip install\b[^\n]*\bpyproxy\b(?!\.)[\[`'\" =]")


def test_an_extra_is_installed_from_the_gateways_own_folder():
    assert remedy("redis") == (
        "the extra \"redis\": .venv/bin/pip install -e '.[redis]' in the folder of pyproxy"
    )


def test_nothing_says_to_install_it_by_a_name_that_is_not_ours():
    places = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.py")]
    told = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in places
        for found in BY_NAME.finditer(path.read_text())
        if "pip install -e '." not in found[0]
    ]

    assert told == []
