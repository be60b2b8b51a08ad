"""``python -m pyproxy``: the command line."""

from pyproxy.cli.main import main

main()
