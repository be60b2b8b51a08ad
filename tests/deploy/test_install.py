"""What the installer makes once: a run that was ended in between is taken up by the next."""

import subprocess

import pytest

from tests.docs.pages import ROOT

INSTALLER = ROOT / "deploy" / "install.sh"
PLACES = ("/etc/pyproxy", "/etc/systemd/system", "/opt/pyproxy")
# Who is not root owns nothing and shares nothing.
ALONE = """
share() {{ :; }}
put_command() {{ :; }}
PYTHON=python3 listen={listen} egress={egress} allow=10.0.0.0/8 hosts=()
mkdir -p "$SETTINGS/certs"
configure "{program}"
"""
# Makes what each command makes; one of them fails.
PROGRAM = """#!/bin/sh
[ "$1" != "{ends}" ] || exit 9
for last; do :; done
case $1 in
  cert) touch "$3/copilot.crt" "$3/copilot.key" ;;
  *) touch "$last" ;;
esac
"""


def configure(tmp_path, *, listen, ends="", egress=""):
    """Run what makes configuration and secrets; whatever command is named fails there."""
    program = tmp_path / "pyproxy"
    program.write_text(PROGRAM.format(ends=ends))
    program.chmod(0o755)
    script = INSTALLER.read_text().removesuffix('main "$@"\n')
    for place in PLACES:
        script = script.replace(place, f"{tmp_path}{place}")
    script += ALONE.format(listen=listen, egress=egress, program=program)
    return subprocess.run(
        ["bash", "-c", script, str(INSTALLER)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("ends", ["cert", "jwks", "keys"])
def test_what_was_ended_before_it_had_everything_is_taken_up(tmp_path, ends):
    settings = tmp_path / "etc/pyproxy"

    assert configure(tmp_path, listen="0.0.0.0:443", ends=ends).returncode == 9
    assert not (settings / "pyproxy.toml").exists()
    done = configure(tmp_path, listen="0.0.0.0:443")

    assert done.returncode == 0, done.stderr
    assert 'bind = "0.0.0.0:443"' in (settings / "pyproxy.toml").read_text()
    assert (settings / "api_keys.txt").exists()
    unit = tmp_path / "etc/systemd/system/pyproxy.socket.d/listen.conf"
    assert "ListenStream=0.0.0.0:443\n" in unit.read_text()


def test_the_way_out_of_a_cluster_has_its_variables_before_its_configuration(tmp_path):
    settings = tmp_path / "etc/pyproxy"
    (settings / "pyproxy.toml.new").mkdir(parents=True)  # where it cannot be written

    assert configure(tmp_path, listen="0.0.0.0:8080", egress="yes").returncode != 0
    assert "ALLOWED_CIDR=10.0.0.0/8\n" in (settings / "environment").read_text()
    assert (settings / "proxy_secret").exists()


def test_a_port_that_is_none_is_told_before_anything_is_made():
    done = subprocess.run(
        [INSTALLER, "--listen", "0.0.0.0:99999", "--nonsense"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == "install.sh: --listen wants ADDRESS:PORT\n"
