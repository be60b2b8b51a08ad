"""`docker compose up` for the first time: what `setup` makes, and what it says."""

import json

SECRET_BYTES = 32


def test_everything_that_is_missing_is_made(compose):
    done = compose.setup()

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in compose.certs.iterdir()) == [
        "ca.crt",
        "ca.key",
        "copilot.crt",
        "copilot.key",
    ]
    assert json.loads((compose.state / "signing_keys.json").read_text())["keys"]
    assert (compose.state / "api_keys.txt").read_text() == ""
    assert len((compose.admin / "token").read_text()) > SECRET_BYTES
    assert (compose.admin / "token").stat().st_mode & 0o777 == 0o440


def test_what_is_there_is_left_alone(compose):
    compose.setup()
    before = {path: path.read_bytes() for path in _files(compose)}

    done = compose.setup()

    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in _files(compose)} == before


def test_another_user_of_the_same_group_may_be_chosen(compose):
    done = compose.setup(user=(1000, 65532))

    assert done.returncode == 0, done.stderr
    assert (compose.certs / "copilot.key").stat().st_uid == 1000


def test_a_key_that_cannot_be_read_is_said_with_what_helps(compose):
    for name in ("copilot.crt", "copilot.key"):
        (compose.certs / name).write_text("of root's")
        (compose.certs / name).chmod(0o600)

    done = compose.setup()

    assert done.returncode == 1
    assert "/certs/copilot.crt cannot be read by user 65532" in done.stderr
    assert "PYPROXY_UID" in done.stderr


def test_half_a_certificate_is_no_certificate(compose):
    (compose.certs / "copilot.crt").write_text("alone")

    done = compose.setup()

    assert done.returncode == 1
    assert "not its other half" in done.stderr


def test_a_folder_of_certificates_that_is_empty_and_not_writable_is_said(compose):
    compose.certs.chmod(0o755)
    compose.certs.chmod(0o500)

    done = compose.setup()

    assert done.returncode == 1
    assert "put copilot.crt and copilot.key there" in done.stderr


def test_a_secret_that_cannot_be_read_is_said(compose, tmp_path):
    keys = tmp_path / "api_keys"
    keys.write_text("")
    keys.chmod(0o600)

    done = compose.setup(keys)

    assert done.returncode == 1
    assert "/run/secrets/api_keys cannot be read" in done.stderr


def test_the_gateway_alone_says_what_it_lacks(compose):
    done = compose.gateway(ADMIN_TOKEN_FILE="").run("serve")

    assert done.returncode == 2
    assert "pyproxy cert --dir /certs" in done.stderr


def _files(compose):
    for folder in (compose.certs, compose.state, compose.admin):
        yield from folder.iterdir()
