import platform
import ssl

from pyproxy.cli.version import MISSING, installed


def test_version_says_what_a_report_needs(pyproxy):
    code, out, _ = pyproxy("version")

    text = "\n".join(out)
    assert code == 0
    assert platform.python_version() in text
    assert ssl.OPENSSL_VERSION in text
    assert "event loop" in text
    assert "cryptography" in text


def test_library_that_is_missing_is_called_so():
    assert installed("no-such-distribution-here") == MISSING
