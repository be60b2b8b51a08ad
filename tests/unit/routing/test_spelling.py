import pytest

from pyproxy.routing.spelling import decoded, decoded_but_slashes


@pytest.mark.parametrize(
    ("path", "once", "but_slashes"),
    [
        pytest.param(b"/token", b"/token", b"/token", id="nothing to decode"),
        pytest.param(b"/%74oken", b"/token", b"/token", id="a letter"),
        pytest.param(b"/a%2Fb%2fc", b"/a/b/c", b"/a%2Fb%2fc", id="slashes"),
        pytest.param(b"/%2574", b"/%74", b"/%74", id="only once"),
        pytest.param(b"/%zz%7", b"/%zz%7", b"/%zz%7", id="broken escapes stay"),
        pytest.param(b"/%ff", b"/\xff", b"/\xff", id="any octet"),
    ],
)
def test_paths_are_decoded_once(path, once, but_slashes):
    assert decoded(path) == once
    assert decoded_but_slashes(path) == but_slashes
