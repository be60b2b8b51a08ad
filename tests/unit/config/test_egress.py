import pytest
from pydantic import ValidationError

from pyproxy.config.egress import EgressSettings
from pyproxy.config.load import load
from pyproxy.errors.fault import ConfigurationError


def egress(**keys):
    return EgressSettings.model_validate(keys)


def test_without_a_word_all_may_be_reached_directly():
    settings = egress()

    assert (settings.allow, settings.proxy, settings.no_proxy) == ((), None, ())
    assert not settings.allow_private
    assert egress(proxy="") == settings


@pytest.mark.parametrize(
    ("host", "port", "is_spared"),
    [
        ("api.example.com", 443, True),
        ("api.example.com", 8443, False),
        ("other.example", 443, False),
    ],
)
def test_what_is_spared_is_reached_without_the_proxy(host, port, is_spared):
    settings = egress(proxy="http://p.example:3128", no_proxy=["example.com:443"])

    assert settings.proxy_for(host, port) == (None if is_spared else settings.proxy)


def test_without_a_proxy_nothing_goes_through_it():
    assert egress(no_proxy=["a.example"]).proxy_for("b.example", 443) is None


@pytest.mark.parametrize(
    "keys",
    [{"allow": ["https://a"]}, {"no_proxy": ["<local>"]}, {"proxy": "https://p"}, {"proxy": {}}],
    ids=str,
)
def test_faults_are_found(keys):
    with pytest.raises(ValidationError):
        egress(**keys)


def test_it_can_be_written_as_json():
    settings = egress(allow=["*.A.example"], no_proxy=["10.0.0.0/8"], proxy="http://u:p@p:1")

    assert settings.model_dump_json() == (
        '{"allow":["*.a.example"],"proxy":"http://***@p:1","no_proxy":["10.0.0.0/8"],'
        '"allow_private":false}'
    )


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ('proxy = "http://u:secret@p:1"', "literal"),
        ('proxy = "http://u:${WORD}@p:1"', "env WORD"),
        ('proxy = { env = "URL" }', "env URL"),
        ('proxy = { file = "url" }', "file {folder}/url"),
    ],
)
def test_forms_in_the_file(tmp_path, text, origin):
    (tmp_path / "url").write_text("http://u:secret@p:1\n")
    (tmp_path / "pyproxy.toml").write_text(
        f'[egress]\n{text}\n[auth]\nkeys = ["a-key-of-somebody"]\n[[routes]]\nname = "a"\n'
        'upstream = "https://a.example"\n[[listeners]]\nbind = "127.0.0.1:1"\n'
    )
    environ = {"WORD": "secret", "URL": "http://u:secret@p:1"}

    proxy = load(tmp_path / "pyproxy.toml", environ, tmp_path).settings.egress.proxy

    assert proxy == egress(proxy="http://u:secret@p:1").proxy
    assert proxy.origin == origin.format(folder=tmp_path)


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({"HTTPS_PROXY": "socks5://u:secret@p:1080"}, "HTTPS_PROXY: must be a URL such as"),
        ({"https_proxy": "http://u:secret@p"}, "https_proxy: needs the proxy's port"),
        ({"https_proxy": "http://p:1", "NO_PROXY": "<local>"}, "NO_PROXY: must be"),
    ],
    ids=str,
)
def test_faults_of_the_environment_name_the_variable(tmp_path, environ, fault):
    (tmp_path / "pyproxy.toml").write_text(
        '[auth]\nkeys = ["a-key-of-somebody"]\n[[routes]]\nname = "a"\n'
        'upstream = "https://a.example"\n[[listeners]]\nbind = "127.0.0.1:1"\n'
    )

    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "pyproxy.toml", environ, tmp_path)

    [found] = caught.value.faults
    assert str(found).startswith(fault)
    assert "u:secret" not in str(found)
