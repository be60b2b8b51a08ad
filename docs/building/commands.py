"""Makes docs/command-line.md and man/pyproxy.1 from the commands themselves.

``python docs/building/commands.py`` says whether both are as they should be (exit 1: one is
not); with ``--write`` it makes them so.
"""

import sys
from pathlib import Path
from typing import Final

from command_walk import Entry, entries
from markdown_page import markdown
from roff_page import roff

from pyproxy.cli.manual.program import commands

_ROOT: Final = Path(__file__).parents[2]


def main() -> int:
    """Compare, or write."""
    every: list[Entry] = list(entries(commands))
    pages = {
        _ROOT / "docs" / "command-line.md": markdown(every),
        _ROOT / "man" / "pyproxy.1": roff(every),
    }
    is_stale = False
    for path, text in pages.items():
        if "--write" in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            is_stale = True
            where = path.relative_to(_ROOT)
            sys.stderr.write(
                f"{where} is not what the commands make: python docs/building/commands.py --write\n"
            )
    return int(is_stale)


if __name__ == "__main__":
    sys.exit(main())
