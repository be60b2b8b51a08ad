"""TLS towards upstreams stays the same while nothing of it changes."""

import pytest
import trustme

from pyproxy.assembly.upstream_tls import UpstreamTls, upstream_files
from pyproxy.config.route import UpstreamTlsSettings
from pyproxy.errors.fault import ConfigurationError


@pytest.fixture
def section(tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.crt")
    return UpstreamTlsSettings().model_copy(update={"ca": str(tmp_path / "ca.crt")})


def load(section, known):
    upstream_tls = UpstreamTls(known)
    return upstream_tls.load("routes[0].tls", section), upstream_tls.used


def test_equal_sections_share_a_context(section):
    upstream_tls = UpstreamTls({})

    first = upstream_tls.load("routes[0].tls", section)

    assert upstream_tls.load("routes[1].tls", section.model_copy()) is first
    assert list(upstream_tls.used.values()) == [first]


def test_what_did_not_change_is_kept(section):
    first, used = load(section, {})
    again, used_again = load(section, used)

    assert again is first
    assert used_again == used


@pytest.mark.parametrize("changes", [{"server_name": "x"}, {"pin_sha256": ("A" * 43 + "=",)}])
def test_another_section_is_another_context(section, changes):
    first, used = load(section, {})
    other, _ = load(section.model_copy(update=changes), used)

    assert other is not first


def test_a_file_written_anew_is_another_context(section, tmp_path):
    first, used = load(section, {})
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.crt")
    other, used_now = load(section, used)

    assert other is not first
    assert first not in used_now.values()


def test_a_missing_file_is_named(section, tmp_path):
    (tmp_path / "ca.crt").unlink()

    with pytest.raises(ConfigurationError, match=r"ca\.crt: cannot be read"):
        load(section, {})


def test_the_files_to_watch_are_named_once(configured, tmp_path):
    route = '[[routes]]\nname = "{name}"\npath = "/{name}"\nupstream = "https://a"\n{tls}\n'
    tls = 'tls = { ca = "ca.crt", certificate = "c.pem", private_key = "k.pem" }'
    settings = configured(
        '[auth]\nkeys = ["a-plain-key-of-somebody"]\n'
        + "".join(route.format(name=name, tls=tls) for name in "ab")
    )

    assert upstream_files(settings) == tuple(tmp_path / n for n in ("ca.crt", "c.pem", "k.pem"))
