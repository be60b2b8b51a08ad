from pyproxy.cli.trust import trust_lines


def test_lines_hold_in_every_folder(here):
    assert trust_lines(here.joinpath("ca.crt").relative_to(here)) == [
        f"export SSL_CERT_FILE={here}/ca.crt",
        f"export NODE_EXTRA_CA_CERTS={here}/ca.crt",
        f"export REQUESTS_CA_BUNDLE={here}/ca.crt",
    ]
