import ssl


def test_certificate_is_made_and_trusted(pyproxy, here):
    code, out, _ = pyproxy("cert", "--host", "gateway.test")

    assert code == 0
    assert f"export SSL_CERT_FILE={here}/certs/ca.crt" in out
    assert f"export NODE_EXTRA_CA_CERTS={here}/certs/ca.crt" in out
    assert f"export REQUESTS_CA_BUNDLE={here}/certs/ca.crt" in out
    assert "gateway.test; made" in out[0]
    ssl.create_default_context(cafile=here / "certs" / "ca.crt")


def test_second_time_nothing_is_made(pyproxy, here):
    pyproxy("cert", "--dir", "c")
    before = (here / "c" / "copilot.crt").read_bytes()

    code, out, _ = pyproxy("cert", "--dir", "c")

    assert code == 0
    assert "kept" in out[0]
    assert (here / "c" / "copilot.crt").read_bytes() == before


def test_host_that_is_none_is_refused(pyproxy):
    code, _, err = pyproxy("cert", "--host", "münchen.test")

    assert code == 2
    assert "--host" in err[0]
