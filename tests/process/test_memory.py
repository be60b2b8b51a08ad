"""What a process loads, each worker of which costs memory."""

import subprocess
import sys


def test_serving_loads_no_http_library_that_only_a_remote_key_set_needs():
    code = (
        "import sys, pyproxy.cli.main, pyproxy.cli.serve, pyproxy.runtime.process;"
        "print(*(name for name in ('aiohttp', 'yarl', 'multidict') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
