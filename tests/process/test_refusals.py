"""What keeps the gateway from starting, each with its sentence and exit code 2."""

import json
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from pyproxy.identity.signing_keys import generate_key_set
from tests.process.served import KEY, hashed, put, refused, serving

CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
certificate = "tls.crt"
private_key = "tls.key"
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
[[routes]]
name = "all"
upstream = "http://127.0.0.1:9"
credential = { header = "X-Provider", value = { file = "provider.key" } }
"""


@pytest.fixture
def open_folder(certify):
    """A folder that every user of the machine may enter, with all that CONFIG names."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    certify(folder)
    put(folder / "keys.txt", hashed("alice", KEY))
    put(folder / "signing.json", json.dumps(generate_key_set("ES256")))
    put(folder / "provider.key", "provider-secret")
    yield folder
    shutil.rmtree(folder)


def test_every_exposed_file_is_named_at_once(open_folder):
    put(open_folder / "keys.txt", "a-plain-key-of-somebody\n")
    names = ["tls.key", "keys.txt", "signing.json", "provider.key"]
    for name in names:
        (open_folder / name).chmod(0o644)

    code, words = refused(open_folder, CONFIG)

    assert code == 2
    assert sorted(line.split(": ")[1] for line in words) == sorted(
        str(open_folder / name) for name in names
    )
    assert all("may be opened by every user of this machine (mode 0644)" in line for line in words)


def test_a_key_set_with_private_keys_is_for_its_owner(open_folder):
    text = CONFIG.replace("signing_keys_file", "jwks_file")
    (open_folder / "signing.json").chmod(0o604)

    code, [line] = refused(open_folder, text)

    assert code == 2
    assert "signing.json: may be opened by every user" in line


def test_hashes_alone_are_a_remark(open_folder):
    (open_folder / "keys.txt").chmod(0o644)

    with serving(open_folder, CONFIG) as gateway:
        assert gateway.stop() == 0

    remarks = [line["message"] for line in gateway.said("configuration.remark")]
    assert any("keys.txt: may be opened by every user" in remark for remark in remarks)


def test_a_folder_for_its_owner_hides_what_is_in_it(open_folder):
    (open_folder / "signing.json").chmod(0o644)
    open_folder.chmod(0o700)

    with serving(open_folder, CONFIG) as gateway:
        assert gateway.stop() == 0

    remarks = [line["message"] for line in gateway.said("configuration.remark")]
    assert not any("may be opened" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        pytest.param(
            {"keys.txt": "a b c\n", "signing.json": "{}", "tls.crt": ""},
            ["keys.txt:1: after the key only", "tls.crt: holds no PEM", "signing.json: not a JWK"],
            id="broken files, all at once",
        ),
        pytest.param(
            {"tls.key": "", "keys.txt": None},
            ["keys.txt: cannot be read: no such file", "tls.key: holds no private key"],
            id="a missing file and an empty key",
        ),
        pytest.param({"provider.key": ""}, ["provider.key is empty"], id="an empty credential"),
        pytest.param(
            {"signing.json": json.dumps({"keys": [{"kty": "oct", "k": "AAAA", "kid": "hs"}]})},
            ["signing.json: no private key that can sign"],
            id="a symmetric signing key",
        ),
    ],
)
def test_a_faulty_file_is_refused(open_folder, changes, sentences):
    for name, text in changes.items():
        if text is None:
            (open_folder / name).unlink()
        else:
            put(open_folder / name, text)

    code, words = refused(open_folder, CONFIG)

    assert code == 2
    assert [sentence for sentence in sentences if sentence not in "\n".join(words)] == []
    assert len(words) == len(sentences)
    assert "Traceback" not in "\n".join(words)


def test_a_provider_without_an_upstream_is_refused(open_folder):
    text = CONFIG.replace('upstream = "http://127.0.0.1:9"', "")

    code, words = refused(open_folder, text)

    assert code == 2
    assert "upstream" in words[0]


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "::/0"])
def test_trust_in_everybody_is_refused(open_folder, networks):
    code, [line] = refused(open_folder, f'[server]\ntrusted_proxies = ["{networks}"]\n{CONFIG}')

    assert code == 2
    assert "server.trusted_proxies" in line


def test_a_port_that_is_taken_is_said(open_folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, [line] = refused(open_folder, CONFIG.replace("127.0.0.1:0", address))

    assert code == 2
    assert line.startswith(f"pyproxy: {address}: is taken: another process listens there")


def test_the_parser_in_python_is_refused(open_folder):
    code, [line] = refused(open_folder, CONFIG, {"AIOHTTP_NO_EXTENSIONS": "1"})

    assert code == 2
    assert "runs on its parser in Python" in line


def test_an_audit_log_that_cannot_be_opened_is_refused(open_folder):
    audit = open_folder / "missing" / "audit.log"
    code, [line] = refused(open_folder, f'[server.log]\naudit = "{audit}"\n{CONFIG}')

    assert code == 2
    assert "server.log.audit" in line
    assert "no such file" in line
