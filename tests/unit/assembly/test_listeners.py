"""Listeners that share an address."""

import pytest

from pyproxy.assembly.listeners import group_listeners
from pyproxy.config.listener import ListenerSettings
from pyproxy.errors.fault import ConfigurationError


def listener(bind="127.0.0.1:1", **values):
    fields = {"certificate": "a.crt", "private_key": "a.key", **values}
    return ListenerSettings.model_construct(
        **{**ListenerSettings().__dict__, "bind": bind, **fields}
    )


def test_one_address_is_one_group_with_all_its_certificates():
    first, second = listener(), listener(certificate="b.crt", private_key="b.key")
    other = listener("127.0.0.1:2", certificate="", routes=("one",))

    groups = group_listeners([first, other, second])

    assert [(group.bind, group.routes, group.is_tls) for group in groups] == [
        ("127.0.0.1:1", (), True),
        ("127.0.0.1:2", ("one",), False),
    ]
    assert groups[0].listeners == (first, second)
    assert not groups[0].proxy_protocol


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"certificate": ""}, id="plain HTTP beside TLS"),
        pytest.param({"min_version": "1.3"}, id="another version"),
        pytest.param({"client_ca": "ca.crt"}, id="client certificates"),
        pytest.param({"proxy_protocol": True}, id="a PROXY header"),
        pytest.param({"routes": ("one",)}, id="other routes"),
    ],
)
def test_what_is_settled_before_a_name_is_known_must_agree(changes):
    with pytest.raises(ConfigurationError, match=r"listeners\[1\]: shares 127.0.0.1:1"):
        group_listeners([listener(), listener(**changes)])
