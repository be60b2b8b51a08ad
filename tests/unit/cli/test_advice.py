import json
import os

import pytest

from pyproxy.cli.advice import advice
from pyproxy.config.load import load
from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.signing_keys import generate_key_set

CONFIG = """
[auth]
{auth}
[[routes]]
name = "one"
upstream = "http://127.0.0.1:1"
auth = ["key"]
{route}
"""
KEYS = 'keys_file = "keys.txt"'
SET = 'keys = ["a-plain-key-of-somebody"]\njwt.jwks_file = "set.json"'
ALICE = f"alice:sha256:{'0' * 64}\n"
# Of cost 4 and of no key: nothing here hashes.
SLOW = "u{}:$2b$04$abcdefghijklmnopqrstuu12345678901234567890123456789{:02}\n"


def public(key_set):
    return json.dumps({"keys": [{k: v for k, v in key.items() if k != "d"} for key in key_set]})


@pytest.fixture
def said(tmp_path):
    """What is said of a configuration, with one file beside it."""

    def said_(auth, name="", content="", route=""):
        (tmp_path / "pyproxy.toml").write_text(CONFIG.format(auth=auth, route=route))
        if name:
            (tmp_path / name).write_text(content)
        loaded = load(tmp_path / "pyproxy.toml", {}, tmp_path)
        return [str(fault).removeprefix(f"{tmp_path}/") for fault in advice(loaded.settings)]

    return said_


@pytest.mark.parametrize(
    ("content", "route", "remark"),
    [
        pytest.param(ALICE, 'users = ["alice"]', "", id="fine"),
        pytest.param("", "", "keys.txt: holds no key", id="no key"),
        pytest.param(ALICE[:-1] + " routes=noe", "", "keys.txt:1: routes=noe", id="no such route"),
        pytest.param(ALICE, 'users = ["bob"]', "routes[0].users[0]: no key", id="no such user"),
        pytest.param("".join(SLOW.format(n, n) for n in range(10)), "", "", id="ten slow keys"),
        pytest.param(
            "".join(SLOW.format(n, n) for n in range(11)),
            "",
            "keys.txt: holds 11 bcrypt keys",
            id="eleven",
        ),
    ],
)
def test_keys_that_lead_nowhere_are_remarked_on(said, content, route, remark):
    remarks = said(KEYS, "keys.txt", content, route)

    assert len(remarks) == bool(remark)
    assert all(line.startswith(remark) for line in remarks)


def test_key_set_is_remarked_on(said):
    key_set = generate_key_set("ES256")

    assert said(SET, "set.json", public(key_set["keys"])) == []
    assert "holds a private key" in said(SET, "set.json", json.dumps(key_set))[0]
    assert "no usable key" in said(SET, "set.json", '{"keys": []}')[0]


def test_no_file_is_no_remark(said):
    assert said('keys = ["a-plain-key-of-somebody"]') == []


@pytest.mark.parametrize(
    ("audit", "remark"),
    [
        pytest.param("stderr", "", id="stream"),
        pytest.param("audit.log", "", id="file that is not there yet"),
        pytest.param("pyproxy.toml", "", id="file that is"),
        pytest.param("none/audit.log", "server.log.audit: ", id="no folder"),
        pytest.param("x" * 300, "server.log.audit: cannot be written: ", id="too long a name"),
    ],
)
def test_audit_log_that_cannot_be_opened_is_remarked_on(said, audit, remark):
    remarks = said(f'keys = ["a-plain-key-of-somebody"]\n[server.log]\naudit = "{audit}"')

    assert len(remarks) == bool(remark)
    assert all(line.startswith(remark) for line in remarks)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_audit_log_of_somebody_else_is_remarked_on(said):
    (line,) = said('keys = ["a-plain-key-of-somebody"]\n[server.log]\naudit = "/etc/hostname"')

    assert "may not write" in line


def test_a_file_that_is_gone_is_a_fault(said):
    with pytest.raises(ConfigurationError, match=r"keys\.txt: cannot be read"):
        said(KEYS)
